/* SPDX-License-Identifier: MIT */
#include "base/stream.h"

#include <string.h>

#include "base/mem.h"

#define PIECE 65536u

static int read_bytes(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	struct stream_bytes *b = (struct stream_bytes *)s;

	*got = MIN(n, b->left.n);
	if (*got)
		memcpy(p, b->left.p, *got);
	b->left = str_drop(b->left, *got);
	return 0;
}

struct stream *stream_over(struct stream_bytes *b, struct str bytes)
{
	*b = (struct stream_bytes){{read_bytes}, bytes};
	return &b->stream;
}

int stream_all(struct stream *s, size_t limit, struct buf *out, struct err *err)
{
	char piece[PIECE];
	size_t got;
	int rc;

	do {
		rc = stream_read(s, piece, sizeof piece, &got, err);
		if (rc < 0)
			return rc;
		if (got > limit - out->n)
			return err_set(err, ERR_LIMIT, "more than %zu bytes", limit);
		buf_put(out, piece, got);
	} while (got);
	return 0;
}
