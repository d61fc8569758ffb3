/* SPDX-License-Identifier: MIT */
/*
 * Decompression on demand. Data after the compressed stream is an error, unless
 * it is another stream of the same kind.
 *
 *     none, br                          by name only
 *     xz, zstd, bzip2, gzip, lz4, lzma  by the first bytes, whatever the name
 *
 * Only one stream at a time may need much memory; others like it wait.
 */
#ifndef CACHE_DECOMPRESS_H
#define CACHE_DECOMPRESS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "base/stream.h"

struct decompressor;

/* Whether decompression takes far longer than writing its output. */
bool decompress_is_slow(struct str name);
/* Whether it is "none": the data as it is. */
bool decompress_is_none(struct str name);
/* The suffix after ".nar" in the names of such files: ".xz", or "". */
const char *decompress_suffix(struct str name);

/* src is borrowed. name need not be known. */
struct decompressor *decompress_new(struct str name, struct stream *src);
void decompress_free(struct decompressor *d);
/*
 * As stream_read(): up to n bytes, 0 only at the end. -ERR_FORMAT: damaged;
 * -ERR_UNSUPPORTED: not a known compression, or it needs too much memory.
 */
int decompress_read(struct decompressor *d, void *p, size_t n, size_t *got, struct err *err);

#endif
