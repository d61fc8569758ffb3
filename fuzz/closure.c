/* SPDX-License-Identifier: MIT */
/* A guest's closure as an editor tells it: what is accepted keeps the rules of struct closure. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nix/store_path.h"
#include "store/closure_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct closure *c)
{
	struct store_path sp;

	for (size_t i = 0; i < c->n; i++) {
		const struct path_info *p = &c->paths[i];

		if (!store_path_is(str_from(p->path), &sp) ||
		    (i && strcmp(c->paths[i - 1].path, p->path) >= 0))
			abort();
		for (size_t r = 0; r < p->nrefs; r++)
			if (p->refs[r] >= c->n || (r && p->refs[r] <= p->refs[r - 1]))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(closure_fini) struct closure c = {0};
	_cleanup_(buf_fini) struct buf again = BUF_INIT;
	struct err err = ERR_INIT;

	if (closure_get((struct str){(const char *)data, size}, &c, &err) < 0)
		return 0;
	check(&c);
	closure_put(&c, &again);
	if (again.n != size || memcmp(again.p, data, size) != 0)
		abort();
	(void)closure_check_cycles(&c, &err);
	return 0;
}
