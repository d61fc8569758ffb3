/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "store/closure.h"

#include <string.h>

/* The paths that refer to path i, without itself: users[at[i]] to users[at[i + 1] - 1]. */
struct users {
	uint32_t *at, *users;
	uint32_t *waits; /* number of references of a path */
};

static void users_fini(struct users *u)
{
	free(u->at);
	free(u->users);
	free(u->waits);
}

static void list_users(const struct closure *c, struct users *u)
{
	uint32_t sum = 0;

	u->at = xcalloc(c->n + 1, sizeof *u->at);
	u->waits = xcalloc(c->n, sizeof *u->waits);
	for (size_t i = 0; i < c->n; i++)
		for (size_t r = 0; r < c->paths[i].nrefs; r++)
			if (c->paths[i].refs[r] != i) {
				u->at[c->paths[i].refs[r]]++;
				u->waits[i]++;
			}
	for (size_t i = 0; i <= c->n; i++) {
		sum += u->at[i];
		u->at[i] = sum;
	}
	u->users = xcalloc(sum, sizeof *u->users);
	for (size_t i = 0; i < c->n; i++)
		for (size_t r = 0; r < c->paths[i].nrefs; r++)
			if (c->paths[i].refs[r] != i)
				u->users[--u->at[c->paths[i].refs[r]]] = (uint32_t)i;
}

/* Remove paths whose references are all removed, until no path is left. */
int closure_check_cycles(const struct closure *c, struct err *err)
{
	_cleanup_(users_fini) struct users u = {0};
	_free_ uint32_t *ready = xcalloc(c->n, sizeof *ready);
	size_t n = 0;

	for (size_t i = 1; i < c->n; i++)
		if (strcmp(c->paths[i - 1].path, c->paths[i].path) == 0)
			return err_set(err, ERR_FORMAT, "%s refers to itself through other paths",
			               c->paths[i].path);
	list_users(c, &u);
	for (size_t i = 0; i < c->n; i++)
		if (!u.waits[i])
			ready[n++] = (uint32_t)i;
	for (size_t k = 0; k < n; k++)
		for (uint32_t at = u.at[ready[k]]; at < u.at[ready[k] + 1]; at++)
			if (!--u.waits[u.users[at]])
				ready[n++] = u.users[at];
	for (size_t i = 0; i < c->n && n < c->n; i++)
		if (u.waits[i])
			return err_set(err, ERR_FORMAT, "%s refers to itself through other paths",
			               c->paths[i].path);
	return 0;
}
