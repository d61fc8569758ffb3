/* SPDX-License-Identifier: MIT */
#include "store/closure.h"

#include "base/mem.h"
#include "nix/store_path.h"

#include <stdlib.h>
#include <string.h>

void path_info_fini(struct path_info *info)
{
	for (size_t i = 0; i < info->noutputs; i++) {
		free(info->outputs[i].id);
		free(info->outputs[i].path);
	}
	free(info->outputs);
	free(info->refs);
	free(info->path);
	free(info->deriver);
	free(info->sigs);
	free(info->ca);
	*info = (struct path_info){0};
}

void closure_fini(struct closure *c)
{
	for (size_t i = 0; i < c->n; i++)
		path_info_fini(&c->paths[i]);
	free(c->paths);
	*c = (struct closure){0};
}

static int against_path(const void *key, const void *elem)
{
	return strcmp(key, ((const struct path_info *)elem)->path);
}

const struct path_info *closure_find(const struct closure *c, const char *path)
{
	if (!c->n)
		return NULL;
	return bsearch(path, c->paths, c->n, sizeof *c->paths, against_path);
}

const struct path_info *closure_find_base(const struct closure *c, struct str base)
{
	size_t lo = 0, hi = c->n;

	/* The first path that is not before it. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		struct str there = str_from(c->paths[mid].path + strlen(STORE_DIR "/"));

		if (str_cmp(there, base) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < c->n) {
		struct str there = str_from(c->paths[lo].path + strlen(STORE_DIR "/"));

		if (str_eq(there, base) ||
		    (base.n == STORE_DIGEST_LEN && str_eq((struct str){there.p, base.n}, base)))
			return &c->paths[lo];
	}
	return NULL;
}

const struct path_info *closure_unreached(const struct closure *c, size_t from)
{
	_free_ bool *seen = xcalloc(c->n, sizeof *seen);
	_free_ size_t *todo = xcalloc(c->n, sizeof *todo);
	size_t n = 0;

	seen[from] = true;
	todo[n++] = from;
	while (n) {
		const struct path_info *info = &c->paths[todo[--n]];

		for (size_t i = 0; i < info->nrefs; i++) {
			/* Marked when put there, so that todo has room for all. */
			if (!seen[info->refs[i]])
				todo[n++] = info->refs[i];
			seen[info->refs[i]] = true;
		}
	}
	for (size_t i = 0; i < c->n; i++) {
		if (!seen[i])
			return &c->paths[i];
	}
	return NULL;
}

uint64_t closure_nar_size(const struct closure *c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < c->n; i++)
		sum += c->paths[i].nar_size;
	return sum;
}
