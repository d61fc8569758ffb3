/* SPDX-License-Identifier: MIT */
/*
 * Decompression as a stream that is pulled. What follows the compressed data
 * is an error, unless it is more of the same kind.
 *
 *     none, br                          by name alone
 *     xz, zstd, bzip2, gzip, lz4, lzma  by the first bytes, whatever the name
 *
 * Streams share a bound on memory: a large window has to wait for its turn.
 */
#ifndef CACHE_DECOMPRESS_H
#define CACHE_DECOMPRESS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "nix/nar.h"

struct decompressor;

/* Whether decompression takes far longer than writing what comes out. */
bool decompress_is_slow(struct str name);
/* What stands behind ".nar" in the names of such files: ".xz", or "". */
const char *decompress_suffix(struct str name);

/* src is borrowed. name may be any. */
struct decompressor *decompress_new(struct str name, struct nar_source src);
void decompress_free(struct decompressor *d);
/*
 * As nar_source.read: up to n bytes, 0 only at the end. -ERR_FORMAT: damaged;
 * -ERR_UNSUPPORTED: not a known compression, or it wants too much memory.
 */
int decompress_read(void *d, void *p, size_t n, size_t *got, struct err *err);

#endif
