/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "cache/cache_nodes.h"

#include <stdlib.h>
#include <string.h>

#define NAR_SUM_MAX (1ull << 60)

static size_t hash_of(struct str s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (uint8_t)s.p[i]) * 0x100000001b3u;
	return (size_t)(h ^ h >> 32);
}

static uint32_t *slot_of(struct search *s, struct str base)
{
	size_t at = hash_of(base) & (s->table_n - 1);

	while (s->table[at] && !str_is(base, s->nodes[s->table[at] - 1].base))
		at = (at + 1) & (s->table_n - 1);
	return &s->table[at];
}

static void grow_table(struct search *s)
{
	if (s->table_n > 2 * s->n)
		return;
	s->table_n = s->table_n ? 2 * s->table_n : 1024;
	free(s->table);
	s->table = xcalloc(s->table_n, sizeof *s->table);
	for (size_t i = 0; i < s->n; i++)
		*slot_of(s, str_from(s->nodes[i].base)) = (uint32_t)i + 1;
}

int search_node(struct search *s, struct str base, uint32_t needed_by, uint32_t *out,
                struct err *err)
{
	uint32_t *slot;

	grow_table(s);
	slot = slot_of(s, base);
	if (!*slot) {
		if (s->n == CLOSURE_PATHS_MAX)
			return err_set(err, ERR_LIMIT, "the closure has more than %u paths",
			               CLOSURE_PATHS_MAX);
		GROW(s->nodes, s->n, s->cap);
		s->nodes[s->n] =
		        (struct node){.base = xstrndup(base.p, base.n), .needed_by = needed_by};
		*slot = (uint32_t)++s->n;
	}
	*out = *slot - 1;
	return 0;
}

void search_fini(struct search *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct node *n = &s->nodes[i];

		cache_file_free(n->file);
		buf_fini(&n->said);
		path_info_fini(&n->info);
		offer_fini(&n->offer);
		free(n->base);
	}
	free(s->nodes);
	free(s->table);
}

int search_settle(struct search *s, uint32_t i, struct err *err)
{
	struct node *n = &s->nodes[i];

	n->state = KNOWN;
	s->known++;
	s->refs += n->info.nrefs;
	s->nar_sum += n->info.nar_size;
	if (s->refs > CLOSURE_REFS_MAX)
		return err_set(err, ERR_LIMIT, "the closure has more than %u references",
		               CLOSURE_REFS_MAX);
	if (s->nar_sum > NAR_SUM_MAX)
		return err_set(err, ERR_LIMIT, "the closure is larger than 2^63 bytes");
	return 0;
}

static _Thread_local const struct node *sort_nodes;

static int by_path(const void *a, const void *b)
{
	return strcmp(sort_nodes[*(const uint32_t *)a].info.path,
	              sort_nodes[*(const uint32_t *)b].info.path);
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int search_gather(struct search *s, struct closure *out, const char **toplevel, struct err *err)
{
	_free_ uint32_t *order = xcalloc(s->n, sizeof *order), *rank = xcalloc(s->n, sizeof *rank);
	struct caches *c = s->c;
	struct closure got = {.paths = xcalloc(s->n, sizeof *got.paths), .n = s->n};
	int rc;

	for (size_t i = 0; i < s->n; i++)
		order[i] = (uint32_t)i;
	sort_nodes = s->nodes;
	qsort(order, s->n, sizeof *order, by_path);
	for (size_t i = 0; i < s->n; i++)
		rank[order[i]] = (uint32_t)i;
	c->offers = xcalloc(s->n, sizeof *c->offers);
	c->n_paths = s->n;
	for (size_t i = 0; i < s->n; i++) {
		struct node *n = &s->nodes[order[i]];

		for (size_t r = 0; r < n->info.nrefs; r++)
			n->info.refs[r] = rank[n->info.refs[r]];
		if (n->info.nrefs)
			qsort(n->info.refs, n->info.nrefs, sizeof *n->info.refs, ascending);
		got.paths[i] = n->info;
		c->offers[i] = n->offer;
		n->info = (struct path_info){0};
		n->offer = (struct offer){0};
	}
	c->paths = got.paths;
	rc = closure_check_cycles(&got, err);
	if (rc < 0) {
		closure_fini(&got);
		return rc;
	}
	*out = got;
	*toplevel = got.paths[rank[0]].path;
	return 0;
}
