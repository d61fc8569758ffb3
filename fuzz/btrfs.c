/* SPDX-License-Identifier: MIT */
/*
 * A btrfs of which only some blocks are there, looked through: { number (32 bits), 4096 bytes }.
 * The superblock and what looks like a node of 4096 bytes get right checksums (crc32c), so that
 * what is behind them is reached.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "fs_explore.h"

#define BLOCK 4096u
#define PIECE (4u + BLOCK)
#define DISK (UINT64_C(1) << 29) /* bytes */
#define SUPER 16u                /* its block's number */

struct sparse {
	struct source src;
	uint8_t *p; /* the pieces */
	size_t n;
};

static uint8_t *block_at(const struct sparse *s, uint64_t number)
{
	for (size_t i = 0; i < s->n; i++)
		if (get_le32(s->p + i * PIECE) == number)
			return s->p + i * PIECE + 4;
	return NULL;
}

static int sparse_read(struct source *src, void *p, size_t n, uint64_t off, struct err *err)
{
	const struct sparse *s = (const struct sparse *)src;
	uint8_t *to = p;

	(void)err;
	while (n) {
		const uint8_t *b = block_at(s, off / BLOCK);
		size_t in = off % BLOCK, m = MIN(n, BLOCK - in);

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

static void sums_repair(const struct sparse *s)
{
	const uint8_t *super = block_at(s, SUPER);

	for (size_t i = 0; super && i < s->n; i++) {
		uint8_t *b = s->p + i * PIECE + 4;

		if (memcmp(b + 32, super + 32, 16) == 0)
			put_le32(b, ~crc32c(UINT32_MAX, b + 32, BLOCK - 32));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sparse s = {.src = {.read = sparse_read}, .n = size / PIECE};
	struct window w = window_over(&s.src, DISK, "image");

	if (!s.n)
		return 0;
	s.p = xmalloc(s.n * PIECE);
	memcpy(s.p, data, s.n * PIECE);
	sums_repair(&s);
	fs_explore_window(&w);
	free(s.p);
	return 0;
}
