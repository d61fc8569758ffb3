/* SPDX-License-Identifier: MIT */
#include "grub/blscfg.h"
#include "base/mem.h"
#include "grub/blsdir.h"
#include "grub/texts.h"
#include "grub/vercmp.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct key {
	const char *name;
	size_t offset;
	bool list;
} keys[] = {
        {"title", offsetof(struct blscfg_entry, title), false},
        {"linux", offsetof(struct blscfg_entry, linux_), false},
        {"options", offsetof(struct blscfg_entry, options), false},
        {"grub_users", offsetof(struct blscfg_entry, users), false},
        {"grub_hotkey", offsetof(struct blscfg_entry, hotkey), false},
        {"initrd", offsetof(struct blscfg_entry, initrds), true},
        {"grub_class", offsetof(struct blscfg_entry, classes), true},
        {"grub_arg", offsetof(struct blscfg_entry, args), true},
};

static void *member(struct blscfg_entry *e, const struct key *key)
{
	return (char *)e + key->offset;
}

static void set(struct blscfg_entry *e, struct str name, struct str value)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (!str_is(name, keys[i].name))
			continue;
		if (keys[i].list) {
			texts_add(member(e, &keys[i]), value);
		} else {
			char **text = member(e, &keys[i]);

			if (!*text)
				*text = str_dup(value);
		}
	}
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* false: GRUB reads no further. */
static bool parse_line(struct str line, struct blscfg_entry *e)
{
	const char *end;
	struct str key;

	while (line.n && blank(line.p[0]))
		line = str_drop(line, 1);
	if (line.n && line.p[0] == '#')
		return true;
	end = line.n ? memchr(line.p, ' ', line.n) : NULL;
	if (!end && line.n)
		end = memchr(line.p, '\t', line.n);
	if (!end || end + 1 == line.p + line.n)
		return false;
	key = (struct str){line.p, (size_t)(end - line.p)};
	line = str_drop(line, key.n);
	while (line.n && blank(line.p[0]))
		line = str_drop(line, 1);
	set(e, key, line);
	return true;
}

void blscfg_parse(struct str name, struct str text, struct blscfg_entry *out)
{
	_cleanup_(buf_fini) struct buf plain = BUF_INIT;
	bool more = true;

	*out = (struct blscfg_entry){.bytes = text.n};
	if (blsdir_is_conf(name, false))
		name.n -= 5;
	out->id = str_dup(name);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\r' && text.p[i])
			buf_put(&plain, text.p + i, 1);
	text = buf_str(&plain);
	while (more && text.n)
		more = parse_line(str_cut(&text, '\n'), out);
}

void blscfg_fini(struct blscfg_entry *e)
{
	free(e->id);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (keys[i].list)
			texts_fini(member(e, &keys[i]));
		else
			free(*(char **)member(e, &keys[i]));
	}
}

void blscfg_entries_fini(struct blscfg_entries *l)
{
	for (size_t i = 0; i < l->n; i++)
		blscfg_fini(&l->v[i]);
	free(l->v);
}

struct sorting {
	struct blscfg_entry e;
	size_t at; /* its place in the directory */
};

static int newest_first(const void *a, const void *b)
{
	const struct sorting *x = a, *y = b;
	int c = package_cmp(str_from(y->e.id), str_from(x->e.id));

	return c ? c : (x->at > y->at) - (x->at < y->at);
}

void blscfg_sort(struct blscfg_entries *l)
{
	_free_ struct sorting *s = xcalloc(l->n + 1, sizeof *s);
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		s[i] = (struct sorting){l->v[i], i};
	qsort(s, l->n, sizeof *s, newest_first);
	for (size_t i = 0; i < l->n; i++) {
		if (n && package_cmp(str_from(l->v[n - 1].id), str_from(s[i].e.id)) == 0)
			blscfg_fini(&s[i].e);
		else
			l->v[n++] = s[i].e;
	}
	l->n = n;
}
