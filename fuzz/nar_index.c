/* SPDX-License-Identifier: MIT */
/* The list of a NAR's files as another process tells it: what is accepted has safe names and
 * ranges. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cache/nar_index.h"

#define NAR_SIZE 1000000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct nar_index *x)
{
	for (size_t i = 0; i < x->n; i++) {
		const struct nar_entry *e = &x->entries[i];
		struct str path = str_from(e->path);

		if (e->kind > WALK_DIR || (e->kind == WALK_LINK) != (e->target != NULL) ||
		    e->at > NAR_SIZE || e->size > NAR_SIZE - e->at ||
		    (i && strcmp(x->entries[i - 1].path, e->path) >= 0))
			abort();
		while (path.n && path.p)
			if (!walk_name_valid(str_cut(&path, '/')))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = {(const char *)data, size};
	_cleanup_(nar_index_fini) struct nar_index x = {0};
	struct path_info info = {0};
	struct err err = ERR_INIT;

	if (nar_index_get(bytes, NAR_SIZE, &x, &err) == 0)
		check(&x);
	(void)drv_outputs_get(bytes, &info, &err);
	for (size_t i = 0; i < info.noutputs; i++) {
		free(info.outputs[i].id);
		free(info.outputs[i].path);
	}
	free(info.outputs);
	return 0;
}
