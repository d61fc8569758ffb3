/* SPDX-License-Identifier: MIT */
/*
 * Reads a NAR some pieces ahead of the reader: one thread reads the source,
 * another checks the data. So decompressing, hashing and writing a large NAR take
 * as long as the slowest of the three, not their sum.
 *
 *     source -> read -> check -> nar_ahead_read()
 *       ^                              |
 *       '-------- empty pieces <-------'
 *
 * The piece that was emptied last is filled next, while it is still in the CPU's
 * cache. So only as much memory is used as the source actually runs ahead.
 */
#ifndef CACHE_NAR_AHEAD_H
#define CACHE_NAR_AHEAD_H

#include <stddef.h>

#include "nix/nar.h"

#define NAR_AHEAD_PIECE (128u << 10)

/* Called with all bytes in order, then with n == 0 at the end. 0 or -ERR_*. */
typedef int nar_check(void *ctx, const void *p, size_t n, struct err *err);

struct nar_ahead;

/*
 * Start reading src, at most pieces pieces ahead. Until nar_ahead_free() src
 * and ctx belong to the threads. NULL if no threads can be started.
 */
struct nar_ahead *nar_ahead_new(struct stream *src, nar_check *check, void *ctx, size_t pieces);
/* As stream_read(): returns checked data, then the first error, if any. */
int nar_ahead_read(struct nar_ahead *a, void *p, size_t n, size_t *got, struct err *err);
/* Waits for a running read of src to end; starts no other. */
void nar_ahead_free(struct nar_ahead *a);

#endif
