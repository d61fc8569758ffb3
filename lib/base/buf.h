/* SPDX-License-Identifier: MIT */
/*
 * A growing byte string. Start from BUF_INIT; end with buf_fini(). Once anything
 * was put, the bytes are followed by a NUL that n does not count.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct buf {
	char *p;
	size_t n;
	size_t cap;
};

#define BUF_INIT {NULL, 0, 0}

void buf_fini(struct buf *b);
void buf_put(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_u8(struct buf *b, uint8_t v);
void buf_le16(struct buf *b, uint16_t v);
void buf_le32(struct buf *b, uint32_t v);
void buf_le64(struct buf *b, uint64_t v);
/* Append n zero bytes; returns the first, valid until the next append. */
void *buf_zeros(struct buf *b, size_t n);
/* Forget the contents, keep the memory. */
void buf_reset(struct buf *b);
struct str buf_str(const struct buf *b);
/* The bytes as a C string that the caller owns; b is empty afterwards. */
char *buf_steal(struct buf *b);

#endif
