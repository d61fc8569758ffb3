/* SPDX-License-Identifier: MIT */
/*
 * A NAR that comes some pieces ahead of whoever reads it: one thread reads its
 * source, another looks at what came, so that unpacking, hashing and writing a
 * large one take the time of the longest of them and not of all three.
 *
 *     source -> read -> check -> nar_ahead_read()
 *       ^                              |
 *       '----- pieces to fill again <--'
 *
 * The piece that was emptied last is filled next, while it is in the
 * processor's cache; memory is what really ran ahead.
 */
#ifndef CACHE_NAR_AHEAD_H
#define CACHE_NAR_AHEAD_H

#include <stddef.h>

#include "nix/nar.h"

#define NAR_AHEAD_PIECE (128u << 10)

/* Sees all bytes in order, and at last the end, with n == 0. 0 or -ERR_*. */
typedef int nar_check(void *ctx, const void *p, size_t n, struct err *err);

struct nar_ahead;

/*
 * Begin to read src, at most so many pieces ahead. Until nar_ahead_free() src
 * and ctx belong to the threads. NULL where there can be none.
 */
struct nar_ahead *nar_ahead_new(struct nar_source src, nar_check *check, void *ctx, size_t pieces);
/* As nar_source.read: what was checked, and in its place the first error. */
int nar_ahead_read(void *a, void *p, size_t n, size_t *got, struct err *err);
/* Waits until src returns from a read that goes on; no other begins. */
void nar_ahead_free(struct nar_ahead *a);

#endif
