/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "nix/nar.h"

#define PIECE 65536u

int nar_source_bytes(void *ctx, void *p, size_t n, size_t *got, struct err *err)
{
	struct str *rest = ctx;

	*got = MIN(n, rest->n);
	if (*got)
		memcpy(p, rest->p, *got);
	*rest = str_drop(*rest, *got);
	return 0;
}

int nar_source_all(struct nar_source src, size_t limit, struct buf *out, struct err *err)
{
	char piece[PIECE];
	size_t got;
	int rc;

	do {
		rc = src.read(src.ctx, piece, sizeof piece, &got, err);
		if (rc < 0)
			return rc;
		if (got > limit - out->n)
			return err_set(err, ERR_LIMIT, "more than %zu bytes", limit);
		buf_put(out, piece, got);
	} while (got);
	return 0;
}
