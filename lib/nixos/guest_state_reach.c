/* SPDX-License-Identifier: MIT */
/*
 * What of the database something needs. Each path and each reference is looked
 * at a fixed number of times, however many ask: a guest decides how many there are.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nixos/guest_state.h"

static int compare_path(const void *key, const void *elem)
{
	return strcmp(key, ((const struct path_info *)elem)->path);
}

static size_t index_of(const struct closure *db, const char *path)
{
	const struct path_info *p =
	        db->n ? bsearch(path, db->paths, db->n, sizeof *db->paths, compare_path) : NULL;

	return p ? (size_t)(p - db->paths) : SIZE_MAX;
}

/* Paths that were reached, but whose references were not followed yet. */
struct stack {
	uint32_t *v;
	size_t n, cap;
};

static void push(struct stack *s, size_t i)
{
	GROW(s->v, s->n, s->cap);
	s->v[s->n++] = (uint32_t)i;
}

static void push_new(struct stack *s, size_t i, bool *reached)
{
	if (i == SIZE_MAX || reached[i])
		return;
	reached[i] = true;
	push(s, i);
}

void guest_state_reach(const struct closure *db, const char *path, bool *reached)
{
	struct stack s = {0};

	push_new(&s, index_of(db, path), reached);
	while (s.n) {
		const struct path_info *p = &db->paths[s.v[--s.n]];

		for (size_t i = 0; i < p->nrefs; i++)
			push_new(&s, p->refs[i], reached);
		/* Nix's default, keep-derivations. */
		if (p->deriver)
			push_new(&s, index_of(db, p->deriver), reached);
	}
	free(s.v);
}

/* ---- who needs it alone --------------------------------------------------- */

/*
 * A path has no owner, then the first generation that needs it, then, if something
 * else needs it as well, MANY; and so have all paths that it refers to. So its owner
 * changes at most twice.
 */
#define NOBODY 0u
#define MANY UINT32_MAX

static void give(struct stack *s, size_t i, uint32_t *owner, uint32_t to)
{
	uint32_t now;

	if (i == SIZE_MAX)
		return;
	now = owner[i];
	if (now == MANY || now == to)
		return;
	owner[i] = now == NOBODY ? to : MANY;
	push(s, i);
}

static void own(const struct closure *db, const char *path, uint32_t *owner, uint32_t to)
{
	struct stack s = {0};

	give(&s, index_of(db, path), owner, to);
	while (s.n) {
		const struct path_info *p = &db->paths[s.v[--s.n]];
		uint32_t as = owner[p - db->paths];

		for (size_t i = 0; i < p->nrefs; i++)
			give(&s, p->refs[i], owner, as);
		if (p->deriver)
			give(&s, index_of(db, p->deriver), owner, as);
	}
	free(s.v);
}

int guest_state_sizes(struct off_guest *off, struct guest_state *in, struct err *err)
{
	const struct profile *p = &in->profiles[0];
	size_t n = in->db.n;
	_free_ bool *others = xcalloc(n + 1, sizeof *others);
	_free_ uint32_t *owner = xcalloc(n + 1, sizeof *owner);
	int rc;

	/* What cannot be understood leaves sizes unknown; a disk that cannot be read ends it. */
	if (in->db_err.code == ERR_IO) {
		*err = in->db_err;
		return -ERR_IO;
	}
	if (in->db_err.code)
		return 0;
	rc = guest_state_roots(off, in, false, others, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		owner[i] = others[i] ? MANY : NOBODY;
	for (size_t g = 0; g < p->n; g++)
		own(&in->db, p->v[g].system.toplevel, owner, (uint32_t)g + 1);
	for (size_t i = 0; i < n; i++)
		if (owner[i] != NOBODY && owner[i] != MANY)
			p->v[owner[i] - 1].own_bytes += in->db.paths[i].nar_size;
	return 0;
}
