/* SPDX-License-Identifier: MIT */
/* A member of a RAID1 in blocks of 4096 bytes (sparse.h). Its superblocks get right checksums. */
#include <stdlib.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "disk/md.h"
#include "sparse.h"

#define BLOCK 4096u
#define DISK (UINT64_C(1) << 22) /* bytes */
#define MAGIC 0xa92b4efcu

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sum_repair(uint8_t *p, size_t n, size_t at)
{
	uint64_t sum = 0;

	put_le32(p + at, 0);
	for (size_t i = 0; i + 4 <= n; i += 4)
		sum += get_le32(p + i);
	sum += n % 4 ? get_le16(p + n - 2) : 0;
	put_le32(p + at, (uint32_t)(sum + (sum >> 32)));
}

static void super_repair(uint8_t *p)
{
	size_t roles = get_le32(p + 220);

	if (get_le32(p) != MAGIC)
		return;
	if (get_le32(p + 4) == 0)
		sum_repair(p, BLOCK, 152);
	else if (roles <= (BLOCK - 256) / 2)
		sum_repair(p, 256 + 2 * roles, 216);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct md_array array;
	struct sparse s;
	struct window w, out;
	uint8_t byte;

	sparse_init(&s, data, size, BLOCK);
	w = window_over(&s.src, DISK, "disk");
	for (size_t i = 0; i < s.n; i++)
		super_repair(sparse_piece(&s, i));
	if (md_mirror(&w, &out, &array, &err) == 0) {
		if (!out.fixed || out.start > DISK || out.size > DISK - out.start)
			abort();
		if (out.size && window_read(&out, &byte, 1, out.size - 1, &err) < 0)
			abort();
	}
	free(s.p);
	return 0;
}
