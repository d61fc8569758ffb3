/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

const uint8_t *bytes_take(struct bytes *b, size_t n)
{
	const uint8_t *at;

	if (b->bad || n > b->n - b->pos) {
		b->bad = true;
		return NULL;
	}
	at = b->p + b->pos;
	b->pos += n;
	return at;
}

void bytes_skip(struct bytes *b, size_t n)
{
	(void)bytes_take(b, n);
}

void bytes_seek(struct bytes *b, size_t pos)
{
	if (pos > b->n)
		b->bad = true;
	else
		b->pos = pos;
}

uint8_t bytes_u8(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 1);

	return p ? *p : 0;
}

uint16_t bytes_le16(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 2);

	return p ? get_le16(p) : 0;
}

uint32_t bytes_le32(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 4);

	return p ? get_le32(p) : 0;
}

uint64_t bytes_le64(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 8);

	return p ? get_le64(p) : 0;
}

uint16_t bytes_be16(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

uint32_t bytes_be32(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 4);

	return p ? get_be32(p) : 0;
}

uint64_t bytes_be64(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 8);

	return p ? get_be64(p) : 0;
}
