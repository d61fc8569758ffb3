/* SPDX-License-Identifier: MIT */
/*
 * Decompression as a stream that is pulled. What follows the compressed data
 * is an error, unless it is more of the same kind.
 */
#ifndef STORE_DECOMPRESS_H
#define STORE_DECOMPRESS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "nix/nar.h"

struct decompressor;

/* Whether a narinfo's Compression is one that we know. */
bool decompress_known(struct str name);
/* Whether decompression takes far longer than writing what comes out. */
bool decompress_is_slow(struct str name);
/* What stands behind ".nar" in the names of such files: ".xz", or "". */
const char *decompress_suffix(struct str name);

/* src is borrowed. -ERR_UNSUPPORTED: not a known one. */
int decompress_new(struct str name, struct nar_source src, struct decompressor **out,
                   struct err *err);
void decompress_free(struct decompressor *d);
/* As nar_source.read: up to n bytes, 0 only at the end. -ERR_FORMAT: damaged. */
int decompress_read(void *d, void *p, size_t n, size_t *got, struct err *err);

#endif
