/* SPDX-License-Identifier: MIT */
#include "store/closure.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static char *copy_text(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

void path_info_copy(const struct path_info *from, struct path_info *to)
{
	*to = *from;
	to->path = copy_text(from->path);
	to->deriver = copy_text(from->deriver);
	to->sigs = copy_text(from->sigs);
	to->ca = copy_text(from->ca);
	to->refs = NULL;
	to->nrefs = 0;
	to->outputs = xcalloc(from->noutputs, sizeof *to->outputs);
	for (size_t i = 0; i < from->noutputs; i++) {
		to->outputs[i].id = xstrdup(from->outputs[i].id);
		to->outputs[i].path = xstrdup(from->outputs[i].path);
	}
}

/* Translate indices of a closure to those of another. Paths that are not there are dropped. */
static void copy_refs(const struct path_info *from, const uint32_t *map, struct path_info *to)
{
	to->refs = xcalloc(from->nrefs, sizeof *to->refs);
	for (size_t i = 0; i < from->nrefs; i++)
		if (map[from->refs[i]] != UINT32_MAX)
			to->refs[to->nrefs++] = map[from->refs[i]];
}

void closure_filter(const struct closure *c, const bool *keep, struct closure *out)
{
	_free_ uint32_t *map = xcalloc(c->n, sizeof *map);
	struct closure r = {.paths = xcalloc(c->n, sizeof *r.paths)};

	for (size_t i = 0; i < c->n; i++)
		map[i] = keep[i] ? (uint32_t)r.n++ : UINT32_MAX;
	for (size_t i = 0; i < c->n; i++) {
		if (!keep[i])
			continue;
		path_info_copy(&c->paths[i], &r.paths[map[i]]);
		copy_refs(&c->paths[i], map, &r.paths[map[i]]);
	}
	*out = r;
}

/* Both are sorted by path, so one pass gives both maps. */
static size_t merge_order(const struct closure *a, const struct closure *b, uint32_t *map_a,
                          uint32_t *map_b)
{
	size_t i = 0, k = 0, n = 0;

	while (i < a->n || k < b->n) {
		int c = i == a->n ? 1 : k == b->n ? -1 : strcmp(a->paths[i].path, b->paths[k].path);

		if (c <= 0)
			map_a[i++] = (uint32_t)n;
		if (c >= 0)
			map_b[k++] = (uint32_t)n;
		n++;
	}
	return n;
}

void closure_union(const struct closure *have, const struct closure *add, int64_t time,
                   struct closure *out)
{
	_free_ uint32_t *map_have = xcalloc(have->n, sizeof *map_have);
	_free_ uint32_t *map_add = xcalloc(add->n, sizeof *map_add);
	struct closure r = {.n = merge_order(have, add, map_have, map_add)};

	r.paths = xcalloc(r.n, sizeof *r.paths);
	for (size_t i = 0; i < have->n; i++) {
		struct path_info *to = &r.paths[map_have[i]];

		path_info_copy(&have->paths[i], to);
		copy_refs(&have->paths[i], map_have, to);
	}
	for (size_t i = 0; i < add->n; i++) {
		struct path_info *to = &r.paths[map_add[i]];

		if (to->path) {
			if (!to->nar_size)
				to->nar_size = add->paths[i].nar_size;
			continue;
		}
		path_info_copy(&add->paths[i], to);
		copy_refs(&add->paths[i], map_add, to);
		to->registration_time = time;
		to->ultimate = false;
	}
	*out = r;
}
