/* SPDX-License-Identifier: MIT */
/* A write-ahead log of bytes in memory. */
#ifndef STORE_TEST_LOG_H
#define STORE_TEST_LOG_H

#include <string.h>

#include "base/mem.h"
#include "store/store_db.h"

struct log_bytes {
	const char *p;
	size_t n, at;
};

static inline int log_rewind(void *ctx, struct err *err)
{
	struct log_bytes *b = ctx;

	(void)err;
	b->at = 0;
	return 0;
}

static inline int log_read(void *ctx, void *p, size_t n, size_t *got, struct err *err)
{
	struct log_bytes *b = ctx;

	(void)err;
	*got = MIN(n, b->n - b->at);
	if (*got)
		memcpy(p, b->p + b->at, *got);
	b->at += *got;
	return 0;
}

static inline int log_apply(const char *name, struct buf *db, const void *p, size_t n, size_t limit,
                            struct err *err)
{
	struct log_bytes bytes = {p, n, 0};
	struct store_log log = {log_rewind, log_read, &bytes};

	return store_wal_apply(name, db, &log, limit, err);
}

#endif
