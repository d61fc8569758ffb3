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

static struct str base_of(const void *info)
{
	return str_from(((const struct path_info *)info)->path + strlen(STORE_DIR "/"));
}

const struct path_info *closure_find_base(const struct closure *c, struct str base)
{
	bool found;
	size_t i = str_place(c->paths, c->n, sizeof *c->paths, base_of, base, &found);

	/* Digits alone sort directly before the path that begins with them. */
	if (!found && base.n == STORE_DIGEST_LEN && i < c->n)
		found = str_eq((struct str){base_of(&c->paths[i]).p, base.n}, base);
	return found ? &c->paths[i] : NULL;
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
			/*
			 * Each path is marked when it is added, so todo never has more than all
			 * paths.
			 */
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
