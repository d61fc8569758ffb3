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
	UNPACK_NONE, /* not packed at all: an ELF file */
	UNPACK_GZIP,
	UNPACK_BZIP2,
	UNPACK_XZ,
	UNPACK_LZMA,
	UNPACK_LZO,
	UNPACK_LZ4,
	UNPACK_ZSTD,
};

#define UNPACK_MAGIC_SIZE 16 /* bytes that tell the kind */

/* By its first bytes. */
enum unpack_kind unpack_probe(const uint8_t *p, size_t n);
/* "xz", …; "unknown". */
const char *unpack_name(enum unpack_kind kind);

/*
 * Where decoders keep what they looked back at, instead of the heap: memory of
 * the caller's, at an address that is a multiple of the page size. drop, if not
 * NULL, is called now and then; it may take the pages away from the process, as
 * long as they come back with the same bytes when they are touched.
 */
struct unpack_scratch {
	uint8_t *base;
	size_t size;
	size_t used;
	void (*drop)(struct unpack_scratch *s);
};

struct unpack;

/*
 * Unpack what w holds: *out is freed with unpack_free(), and w copied. memory:
 * what a decoder may use in bytes, -ERR_LIMIT where a stream wants more;
 * scratch: for its large parts, borrowed, NULL for none.
 * -ERR_UNSUPPORTED: no library for this kind (bzip2, lzo).
 */
int unpack_new(enum unpack_kind kind, const struct window *w, size_t memory,
               struct unpack_scratch *scratch, struct unpack **out, struct err *err);
void unpack_free(struct unpack *u);
void unpack_freep(struct unpack **u);

/* Up to n bytes more; *got is less only at the end. */
int unpack_read(struct unpack *u, void *p, size_t n, size_t *got, struct err *err);

/* Bytes of the window that were used so far; at the end of the stream: its size. */
uint64_t unpack_used(const struct unpack *u);

#endif
