/* SPDX-License-Identifier: MIT */
/*
 * Decompression of kernels and initrds, each format by its library: a stream of the
 * uncompressed bytes, produced only as far as it is read.
 */
#ifndef XEN_UNPACK_H
#define XEN_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "disk/window.h"

enum unpack_kind {
	UNPACK_UNKNOWN,
	UNPACK_NONE, /* not compressed: an ELF file */
	UNPACK_GZIP,
	UNPACK_BZIP2,
	UNPACK_XZ,
	UNPACK_LZMA,
	UNPACK_LZO,
	UNPACK_LZ4,
	UNPACK_ZSTD,
};

#define UNPACK_MAGIC_SIZE 16 /* bytes that unpack_probe() needs */

/* The kind, from the first bytes. */
enum unpack_kind unpack_probe(const uint8_t *p, size_t n);
/* Such as "xz", or "unknown". */
const char *unpack_name(enum unpack_kind kind);

struct unpack;

/*
 * Start unpacking w, which is copied; free *out with unpack_free(). memory: bytes
 * that the decoder may use; -ERR_LIMIT if the stream needs more. -ERR_UNSUPPORTED:
 * there is no decoder for this kind (bzip2, lzo).
 */
int unpack_new(enum unpack_kind kind, const struct window *w, size_t memory, struct unpack **out,
               struct err *err);
void unpack_free(struct unpack *u);
void unpack_freep(struct unpack **u);

/* The next n bytes; *got is less only at the end. */
int unpack_read(struct unpack *u, void *p, size_t n, size_t *got, struct err *err);

/* Bytes of the window used so far; at the end of the stream, its compressed size. */
uint64_t unpack_used(const struct unpack *u);

#endif
