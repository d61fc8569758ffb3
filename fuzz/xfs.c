/* SPDX-License-Identifier: MIT */
/*
 * An XFS of which only some blocks of 1024 bytes are there (sparse.h), looked through. Its sectors
 * and inodes have 512 bytes. What looks like metadata with a checksum gets a right one, so that
 * what is behind it is reached.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "fs_explore.h"
#include "sparse.h"

#define BLOCK 1024u
#define HALF 512u                /* a sector, an inode */
#define DISK (UINT64_C(1) << 29) /* bytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sum_repair(uint8_t *p, size_t n, size_t at)
{
	put_le32(p + at, 0);
	put_le32(p + at, ~crc32c(UINT32_MAX, p, n));
}

static void block_repair(uint8_t *b)
{
	static const struct {
		char magic[5];
		size_t n, at; /* bytes; where the checksum is */
	} kinds[] = {
	        {"XDB3", BLOCK, 4},
	        {"XDD3", BLOCK, 4},
	        {"BMA3", BLOCK, 64},
	        {"XSLM", BLOCK, 12},
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (memcmp(b, kinds[i].magic, 4) == 0)
			sum_repair(b, kinds[i].n, kinds[i].at);
	if (memcmp(b, "XFSB", 4) == 0 && (b[101] & 15) == 5)
		sum_repair(b, HALF, 224);
	for (uint8_t *in = b; in < b + BLOCK; in += HALF)
		if (memcmp(in, "IN", 2) == 0 && in[4] == 3)
			sum_repair(in, HALF, 100);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sparse s;
	struct window w;

	sparse_init(&s, data, size, BLOCK);
	w = window_over(&s.src, DISK, "image");
	for (size_t i = 0; i < s.n; i++)
		block_repair(sparse_piece(&s, i));
	if (s.n)
		fs_explore_window(&w);
	free(s.p);
	return 0;
}
