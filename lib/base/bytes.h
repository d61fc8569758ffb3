/* SPDX-License-Identifier: MIT */
/*
 * A bounded cursor over bytes that are not trusted. A read past the end gives
 * zero, moves nothing, and sets bad for good; so a record is decoded in one go
 * and bytes_ok() asked once at its end.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t *p;
	size_t n;
	size_t pos; /* never over n */
	bool bad;
};

static inline struct bytes bytes_over(const void *p, size_t n)
{
	return (struct bytes){.p = p, .n = n};
}

static inline bool bytes_ok(const struct bytes *b)
{
	return !b->bad;
}

static inline size_t bytes_left(const struct bytes *b)
{
	return b->n - b->pos;
}

/* n bytes in place, borrowed from the caller of bytes_over(); NULL: too few. */
const uint8_t *bytes_take(struct bytes *b, size_t n);
void bytes_skip(struct bytes *b, size_t n);
/* Move to an offset from the start; beyond n sets bad. */
void bytes_seek(struct bytes *b, size_t pos);
uint8_t bytes_u8(struct bytes *b);
uint16_t bytes_le16(struct bytes *b);
uint32_t bytes_le32(struct bytes *b);
uint64_t bytes_le64(struct bytes *b);
uint16_t bytes_be16(struct bytes *b);
uint32_t bytes_be32(struct bytes *b);
uint64_t bytes_be64(struct bytes *b);

/* One field to and from memory that the caller knows to be large enough. */
static inline uint16_t get_le16(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t get_le32(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t)get_le16(b) | (uint32_t)get_le16(b + 2) << 16;
}

static inline uint64_t get_le64(const void *p)
{
	const uint8_t *b = p;

	return (uint64_t)get_le32(b) | (uint64_t)get_le32(b + 4) << 32;
}

static inline uint32_t get_be32(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline uint64_t get_be64(const void *p)
{
	const uint8_t *b = p;

	return (uint64_t)get_be32(b) << 32 | get_be32(b + 4);
}

static inline void put_le16(void *p, uint16_t v)
{
	uint8_t *b = p;

	b[0] = (uint8_t)v;
	b[1] = (uint8_t)(v >> 8);
}

static inline void put_le32(void *p, uint32_t v)
{
	put_le16(p, (uint16_t)v);
	put_le16((uint8_t *)p + 2, (uint16_t)(v >> 16));
}

static inline void put_le64(void *p, uint64_t v)
{
	put_le32(p, (uint32_t)v);
	put_le32((uint8_t *)p + 4, (uint32_t)(v >> 32));
}

#endif
