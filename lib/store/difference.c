/* SPDX-License-Identifier: MIT */
#include "store/difference.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "nix/store_path.h"

/* A package of one of the two systems. */
struct package {
	struct str name, version;
	bool after;
};

/* Nix's rule: the version begins at the first dash that no letter follows. */
static void split(struct str text, struct str *name, struct str *version)
{
	*name = text;
	*version = (struct str){"", 0};
	for (size_t i = 0; i + 1 < text.n; i++) {
		if (text.p[i] != '-' || isalpha((unsigned char)text.p[i + 1]))
			continue;
		name->n = i;
		*version = str_drop(text, i + 1);
		return;
	}
}

static int by_name(const void *a, const void *b)
{
	const struct package *x = a, *y = b;
	int c = str_cmp(x->name, y->name);

	if (c == 0)
		c = x->after - y->after;
	return c ? c : str_cmp(x->version, y->version);
}

static size_t list_side(const struct closure *c, const bool *in, bool after, struct package *out)
{
	struct store_path sp;
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (!in[i] || !store_path_is(str_from(c->paths[i].path), &sp) ||
		    str_ends(sp.name, ".drv"))
			continue;
		split(sp.name, &out[n].name, &out[n].version);
		out[n++].after = after;
	}
	return n;
}

/* The versions of a package in one of the two systems, each once. */
static char *versions(const struct package *p, size_t n, bool after)
{
	struct buf b = BUF_INIT;
	const struct package *last = NULL;

	for (size_t i = 0; i < n; i++) {
		if (p[i].after != after || (last && str_eq(last->version, p[i].version)))
			continue;
		buf_putf(&b, "%s%.*s", last ? ", " : "", STR_ARG(p[i].version));
		last = &p[i];
	}
	return last ? buf_steal(&b) : NULL;
}

static bool same(const struct difference *d)
{
	return d->before && d->after && strcmp(d->before, d->after) == 0;
}

void differences_find(const struct closure *a, const bool *in_a, const struct closure *b,
                      const bool *in_b, struct differences *out)
{
	_free_ struct package *all = xcalloc(a->n + b->n + 1, sizeof *all);
	size_t n = list_side(a, in_a, false, all), to, cap = 0;

	n += list_side(b, in_b, true, all + n);
	*out = (struct differences){0};
	if (n)
		qsort(all, n, sizeof *all, by_name);
	for (size_t i = 0; i < n; i = to) {
		struct difference d;

		for (to = i + 1; to < n && str_eq(all[to].name, all[i].name); to++)
			;
		d = (struct difference){
		        .name = xstrndup(all[i].name.p, all[i].name.n),
		        .before = versions(all + i, to - i, false),
		        .after = versions(all + i, to - i, true),
		};
		if (same(&d)) {
			free(d.name);
			free(d.before);
			free(d.after);
			continue;
		}
		GROW(out->v, out->n, cap);
		out->v[out->n++] = d;
	}
}

void differences_fini(struct differences *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].name);
		free(d->v[i].before);
		free(d->v[i].after);
	}
	free(d->v);
	*d = (struct differences){0};
}
