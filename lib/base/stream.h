/* SPDX-License-Identifier: MIT */
/* Bytes that are read once and in order, wherever they come from. */
#ifndef BASE_STREAM_H
#define BASE_STREAM_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* A member of what the bytes come from, which read() finds by it. */
struct stream {
	/*
	 * Up to n bytes, at least one but at the end, where *got is 0. Returns 0 or -ERR_*,
	 * which the reader passes on.
	 */
	int (*read)(struct stream *s, void *p, size_t n, size_t *got, struct err *err);
};

static inline int stream_read(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	return s->read(s, p, n, got, err);
}

/* Bytes in memory, borrowed. */
struct stream_bytes {
	struct stream stream;
	struct str left;
};

/* Returns &b->stream. */
struct stream *stream_over(struct stream_bytes *b, struct str bytes);
/* Append all that a stream has to *out. -ERR_LIMIT: more than limit bytes. */
int stream_all(struct stream *s, size_t limit, struct buf *out, struct err *err);

#endif
