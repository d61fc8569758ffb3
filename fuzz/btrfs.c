/* SPDX-License-Identifier: MIT */
/*
 * A btrfs of which only some blocks are there (sparse.h), looked through. The superblock and what
 * looks like a node of 4096 bytes get right checksums (crc32c), so that what is behind them is
 * reached.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "fs_explore.h"
#include "sparse.h"

#define BLOCK 4096u
#define DISK (UINT64_C(1) << 29) /* bytes */
#define SUPER 16u                /* its block's number */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sums_repair(const struct sparse *s)
{
	const uint8_t *super = sparse_block(s, SUPER);

	for (size_t i = 0; super && i < s->n; i++) {
		uint8_t *b = sparse_piece(s, i);

		if (memcmp(b + 32, super + 32, 16) == 0)
			put_le32(b, ~crc32c(UINT32_MAX, b + 32, BLOCK - 32));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sparse s;
	struct window w;

	sparse_init(&s, data, size, BLOCK);
	w = window_over(&s.src, DISK, "image");
	sums_repair(&s);
	if (s.n)
		fs_explore_window(&w);
	free(s.p);
	return 0;
}
