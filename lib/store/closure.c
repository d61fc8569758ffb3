/* SPDX-License-Identifier: MIT */
#include "store/closure.h"

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

uint64_t closure_nar_size(const struct closure *c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < c->n; i++)
		sum += c->paths[i].nar_size;
	return sum;
}
