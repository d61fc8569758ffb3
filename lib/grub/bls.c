/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/bls.h"
#include "grub/blscount.h"
#include "grub/blsdir.h"
#include "grub/context.h"
#include "grub/texts.h"
#include "grub/vercmp.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *lower(struct str s)
{
	char *copy = str_dup(s);

	for (char *p = copy; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return copy;
}

static void parse_name(struct str name, struct bls_entry *e)
{
	_free_ char *key = NULL;
	struct blscount c;

	(void)blscount_parse(name, &c);
	key = xasprintf("%.*s%s", STR_ARG(c.stem), c.end);
	e->file = str_dup(name);
	e->key = lower(str_from(key));
	e->id = str_dup(c.stem);
	e->left = c.left;
	e->done = c.done;
}

static const struct key {
	const char *name;
	size_t offset;
	enum bls_kind kind; /* of what it boots; BLS_NONE: it is about something else */
} keys[] = {
        {"title", offsetof(struct bls_entry, title), BLS_NONE},
        {"version", offsetof(struct bls_entry, version), BLS_NONE},
        {"machine-id", offsetof(struct bls_entry, machine_id), BLS_NONE},
        {"sort-key", offsetof(struct bls_entry, sort_key), BLS_NONE},
        {"architecture", offsetof(struct bls_entry, architecture), BLS_NONE},
        {"linux", offsetof(struct bls_entry, loader), BLS_LINUX},
        {"efi", offsetof(struct bls_entry, loader), BLS_EFI},
        {"uki", offsetof(struct bls_entry, loader), BLS_UKI},
        {"uki-url", offsetof(struct bls_entry, loader), BLS_URL},
};

static char **field(struct bls_entry *e, const struct key *key)
{
	return (char **)((char *)e + key->offset);
}

static void add_options(struct bls_entry *e, struct str value)
{
	struct buf all = BUF_INIT;

	if (e->options)
		buf_putf(&all, "%s ", e->options);
	buf_put(&all, value.p, value.n);
	free(e->options);
	e->options = buf_steal(&all);
}

static void add_initrds(struct bls_entry *e, struct str value)
{
	while (value.n) {
		size_t n = 0;

		while (n < value.n && !blank(value.p[n]))
			n++;
		texts_add(&e->initrds, (struct str){value.p, n});
		value = str_trim(str_drop(value, n));
	}
}

struct str bls_unquoted(struct str s)
{
	if (s.n && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
		return (struct str){s.p + 1, s.n > 1 ? s.n - 2 : 0};
	return s;
}

/* Variables such as $kernelopts, and keys such as grub_users, are for Fedora's GRUB. */
static bool is_grubs(struct str key, struct str value)
{
	if (str_starts(key, "grub_"))
		return true;
	if (!str_is(key, "options") && !str_is(key, "initrd"))
		return false;
	for (size_t i = 0; i < value.n; i++)
		if (str_starts(str_drop(value, i), "$kernelopts") ||
		    str_starts(str_drop(value, i), "$tuned_") ||
		    str_starts(str_drop(value, i), "$early_initrd"))
			return true;
	return false;
}

static void set_loader(struct bls_entry *e, const struct key *key, bool *spoilt)
{
	*spoilt = *spoilt || (e->kind && e->kind != key->kind);
	e->kind = *spoilt ? BLS_NONE : key->kind;
}

static void parse_line(struct str line, struct bls_entry *e, bool *spoilt)
{
	struct str key = {line.p, 0}, value;

	while (key.n < line.n && !blank(line.p[key.n]))
		key.n++;
	if (key.n == line.n)
		return;
	value = bls_unquoted(str_trim(str_drop(line, key.n)));
	e->grubs = e->grubs || is_grubs(key, value);
	if (str_is(key, "options"))
		add_options(e, value);
	else if (str_is(key, "initrd"))
		add_initrds(e, value);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (!str_is(key, keys[i].name))
			continue;
		set_text(field(e, &keys[i]), value);
		if (keys[i].kind)
			set_loader(e, &keys[i], spoilt);
	}
}

void bls_parse(struct str name, struct str text, struct bls_entry *out)
{
	bool spoilt = false;

	*out = (struct bls_entry){.kind = BLS_NONE};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		set_text(field(out, &keys[i]), STR(""));
	parse_name(name, out);
	out->text = str_dup(text);
	while (text.p) {
		struct str rest = str_cut(&text, '\n');

		while (rest.p) { /* a carriage return ends a line as well */
			struct str line = str_trim(str_cut(&rest, '\r'));

			if (line.n && line.p[0] != '#')
				parse_line(line, out, &spoilt);
		}
	}
}

void bls_fini(struct bls_entry *e)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		free(*field(e, &keys[i]));
		*field(e, &keys[i]) = NULL; /* several keys share a field */
	}
	free(e->file);
	free(e->key);
	free(e->id);
	free(e->options);
	free(e->text);
	texts_fini(&e->initrds);
}

void bls_entries_fini(struct bls_entries *l)
{
	for (size_t i = 0; i < l->n; i++)
		bls_fini(&l->v[i]);
	free(l->v);
}

/* Is it for another architecture? */
static bool foreign(const struct bls_entry *e)
{
	return *e->architecture && strcasecmp(e->architecture, "x64") != 0 &&
	       strcasecmp(e->architecture, "x86-64") != 0 &&
	       strcasecmp(e->architecture, "x86_64") != 0;
}

static void take_file(void *arg, struct str name, struct str text)
{
	struct bls_entries *out = arg;

	if (strncasecmp(name.p, "auto-", 5) == 0)
		return;
	GROW(out->v, out->n, out->cap);
	bls_parse(name, text, &out->v[out->n++]);
	if (foreign(&out->v[out->n - 1]))
		bls_fini(&out->v[--out->n]);
}

int bls_read_dir(const struct blsdir *dir, struct bls_entries *out, struct grub_texts *warnings,
                 struct err *err)
{
	return blsdir_read(dir, take_file, out, warnings, err);
}

static int newest_first(const char *a, const char *b)
{
	return version_cmp(str_from(b), str_from(a));
}

static int number_cmp(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

int bls_cmp(const void *a, const void *b)
{
	const struct bls_entry *x = a, *y = b;
	int c = (x->left == 0) - (y->left == 0);

	if (c == 0)
		c = (*x->sort_key == '\0') - (*y->sort_key == '\0');
	if (c == 0 && *x->sort_key) {
		c = strcmp(x->sort_key, y->sort_key);
		if (c == 0)
			c = strcmp(x->machine_id, y->machine_id);
		if (c == 0)
			c = newest_first(x->version, y->version);
	}
	if (c == 0)
		c = newest_first(x->key, y->key);
	if (c == 0)
		c = number_cmp(y->left, x->left);
	return c ? c : number_cmp(x->done, y->done);
}
