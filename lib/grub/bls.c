/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/bls.h"
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

/* "NAME+LEFT-DONE.conf" */
static void parse_name(struct str name, struct bls_entry *e)
{
	struct str counter, id;
	uint64_t left;

	if (str_ends(name, ".conf"))
		name.n -= 5;
	counter = name;
	id = str_cut(&counter, '+');
	if (counter.p && str_u64(str_cut(&counter, '-'), 10, UINT32_MAX, &left)) {
		e->bad = left == 0;
		name = id;
	}
	e->id = str_dup(name);
}

static const struct key {
	const char *name;
	size_t offset;
} keys[] = {
        {"title", offsetof(struct bls_entry, title)},
        {"version", offsetof(struct bls_entry, version)},
        {"machine-id", offsetof(struct bls_entry, machine_id)},
        {"sort-key", offsetof(struct bls_entry, sort_key)},
        {"linux", offsetof(struct bls_entry, linux_)},
        {"efi", offsetof(struct bls_entry, loader)},
        {"uki", offsetof(struct bls_entry, loader)},
        {"architecture", offsetof(struct bls_entry, architecture)},
        {"grub_class", offsetof(struct bls_entry, classes)},
        {"grub_users", offsetof(struct bls_entry, users)},
        {"grub_arg", offsetof(struct bls_entry, args)},
        {"grub_hotkey", offsetof(struct bls_entry, hotkey)},
};

static char **field(struct bls_entry *e, const struct key *key)
{
	return (char **)((char *)e + key->offset);
}

static void add_options(struct bls_entry *e, struct str value)
{
	struct buf all = BUF_INIT;

	if (e->options && *e->options)
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

static void parse_line(struct str line, struct bls_entry *e)
{
	size_t n = 0;
	struct str key, value;

	while (n < line.n && !blank(line.p[n]))
		n++;
	key = (struct str){line.p, n};
	value = str_trim(str_drop(line, n));
	if (str_is(key, "options"))
		add_options(e, value);
	else if (str_is(key, "initrd"))
		add_initrds(e, value);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (str_is(key, keys[i].name))
			set_text(field(e, &keys[i]), value);
}

void bls_parse(struct str name, struct str text, struct bls_entry *out)
{
	*out = (struct bls_entry){.bad = false};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		set_text(field(out, &keys[i]), STR(""));
	parse_name(name, out);
	out->text = str_dup(text);
	while (text.p) {
		struct str line = str_trim(str_cut(&text, '\n'));

		if (line.n && line.p[0] != '#')
			parse_line(line, out);
	}
}

void bls_fini(struct bls_entry *e)
{
	free(e->id);
	free(e->title);
	free(e->version);
	free(e->machine_id);
	free(e->sort_key);
	free(e->linux_);
	free(e->loader);
	free(e->options);
	free(e->architecture);
	free(e->classes);
	free(e->users);
	free(e->args);
	free(e->hotkey);
	free(e->text);
	texts_fini(&e->initrds);
}

void bls_entries_fini(struct bls_entries *l)
{
	for (size_t i = 0; i < l->n; i++)
		bls_fini(&l->v[i]);
	free(l->v);
}

struct names {
	struct grub_texts names;
	size_t seen, max, keep;
};

static void names_fini(struct names *n)
{
	texts_fini(&n->names);
}

static int take_name(void *arg, struct str name)
{
	struct names *n = arg;

	if (str_ends(name, ".conf") && name.p[0] != '.' && !memchr(name.p, '/', name.n))
		texts_add(&n->names, name);
	return ++n->seen >= n->max || n->names.n >= n->keep;
}

/* An architecture that is named and not this one. */
static bool foreign(const struct bls_entry *e)
{
	return *e->architecture && strcasecmp(e->architecture, "x64") != 0 &&
	       strcasecmp(e->architecture, "x86-64") != 0 &&
	       strcasecmp(e->architecture, "x86_64") != 0;
}

int bls_read_dir(struct grub_files *files, const struct grub_limits *limits, size_t dev,
                 struct str dir, struct bls_entries *out, struct grub_texts *warnings,
                 struct err *err)
{
	_cleanup_(names_fini) struct names n = {.max = limits->names, .keep = limits->entries};
	size_t left = limits->config; /* for all of them together */
	int rc = files->ops->list(files, dev, dir, take_name, &n, err);

	for (size_t i = 0; rc == 0 && i < n.names.n; i++) {
		_cleanup_(buf_fini) struct buf path = BUF_INIT, text = BUF_INIT;
		struct err why = ERR_INIT;

		buf_putf(&path, "%.*s/%s", STR_ARG(dir), n.names.v[i]);
		if (files->ops->read(files, dev, buf_str(&path), left, &text, &why) < 0) {
			if (warnings->n < limits->warnings)
				texts_give(warnings, xasprintf("%s: %s", path.p, why.text));
			continue;
		}
		left -= MIN(left, text.n);
		GROW(out->v, out->n, out->cap);
		bls_parse(str_from(n.names.v[i]), buf_str(&text), &out->v[out->n++]);
		if (foreign(&out->v[out->n - 1]))
			bls_fini(&out->v[--out->n]);
	}
	return rc;
}

static int newest_first(const char *a, const char *b)
{
	return version_cmp(str_from(b), str_from(a));
}

int bls_cmp_names(const void *a, const void *b)
{
	const struct bls_entry *x = a, *y = b;

	return newest_first(x->id, y->id);
}

int bls_cmp(const void *a, const void *b)
{
	const struct bls_entry *x = a, *y = b;
	int c = x->bad - y->bad;

	if (c == 0)
		c = (*x->sort_key == '\0') - (*y->sort_key == '\0');
	if (c == 0 && *x->sort_key) {
		c = strcmp(x->sort_key, y->sort_key);
		if (c == 0)
			c = strcmp(x->machine_id, y->machine_id);
		if (c == 0)
			c = newest_first(x->version, y->version);
	}
	return c ? c : newest_first(x->id, y->id);
}

static const char *title_of(const struct bls_entry *e)
{
	return *e->title ? e->title : e->id;
}

void bls_title(const struct bls_entries *all, const struct bls_entry *e, struct buf *out)
{
	bool title = false, version = !*e->version;

	for (size_t i = 0; i < all->n; i++) {
		const struct bls_entry *o = &all->v[i];

		if (o == e || strcmp(title_of(o), title_of(e)) != 0)
			continue;
		title = true;
		version = version || strcmp(o->version, e->version) == 0;
	}
	buf_puts(out, title_of(e));
	if (title)
		buf_putf(out, " (%s)", version ? e->id : e->version);
}
