/* SPDX-License-Identifier: MIT */
#include "sparse.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

static size_t piece_size(const struct sparse *s)
{
	return sizeof(uint32_t) + s->block;
}

uint8_t *sparse_piece(const struct sparse *s, size_t i)
{
	return s->p + i * piece_size(s) + sizeof(uint32_t);
}

static bool maybe(const struct sparse *s, uint64_t number)
{
	return s->seen[number / 64 % ARRAY_LEN(s->seen)] >> number % 64 & 1;
}

uint8_t *sparse_block(const struct sparse *s, uint64_t number)
{
	for (size_t i = 0; i < s->n && maybe(s, number); i++)
		if (get_le32(s->p + i * piece_size(s)) == number)
			return sparse_piece(s, i);
	return NULL;
}

static int sparse_read(struct source *src, void *p, size_t n, uint64_t off, struct err *err)
{
	const struct sparse *s = (const struct sparse *)src;
	uint8_t *to = p;

	(void)err;
	while (n) {
		const uint8_t *b = sparse_block(s, off / s->block);
		size_t in = off % s->block, m = MIN(n, s->block - in);

		if (b)
			memcpy(to, b + in, m);
		else
			memset(to, 0, m);
		to += m;
		off += m;
		n -= m;
	}
	return 0;
}

void sparse_init(struct sparse *s, const uint8_t *data, size_t size, size_t block)
{
	*s = (struct sparse){.src = {.read = sparse_read}, .block = block};
	s->n = size / piece_size(s);
	s->p = xmalloc(s->n * piece_size(s) + 1);
	if (s->n)
		memcpy(s->p, data, s->n * piece_size(s));
	for (size_t i = 0; i < s->n; i++) {
		uint32_t number = get_le32(s->p + i * piece_size(s));

		s->seen[number / 64 % ARRAY_LEN(s->seen)] |= UINT64_C(1) << number % 64;
	}
}
