/* SPDX-License-Identifier: MIT */
/*
 * The blocks of a journal, 1 KiB each. Their checksums are corrected first; then a
 * file system of twice as many blocks is read through the journal.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "disk/jbd2.h"

#define BLOCK 1024u
#define BLOCKS_MAX 512u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_be32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void repair(uint8_t *p, size_t n, size_t at, uint32_t seed)
{
	put_be32(p + at, 0);
	put_be32(p + at, crc32c(seed, p, n));
}

static void repair_all(uint8_t *journal, uint32_t n)
{
	static const uint8_t magic[4] = {0xc0, 0x3b, 0x39, 0x98};
	uint32_t seed = crc32c(~0u, journal + 48, 16);

	for (uint32_t i = 1; i < n; i++) {
		uint8_t *p = journal + (size_t)i * BLOCK;

		if (memcmp(p, magic, 4) != 0)
			continue;
		/* A commit block has its checksum in another place than the others. */
		repair(p, BLOCK, p[7] == 2 ? 16 : BLOCK - 4, seed);
	}
	journal[80] = 4;
	repair(journal, BLOCK, 252, ~0u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t n = (uint32_t)MIN(size / BLOCK, (size_t)BLOCKS_MAX);
	size_t bytes = (size_t)n * 2 * BLOCK;
	_free_ uint8_t *image = NULL;
	_free_ uint8_t *out = NULL;
	_free_ uint64_t *map = NULL;
	struct jbd2_journal j = {.block = BLOCK, .fs_blocks = 2ull * n, .n = n};
	struct err err = ERR_INIT;
	struct source_mem src;
	struct jbd2_log log;

	if (!n)
		return 0;
	image = xcalloc(1, bytes);
	out = xmalloc(bytes);
	map = xcalloc(n, sizeof *map);
	memcpy(image, data, (size_t)n * BLOCK);
	repair_all(image, n);
	for (uint32_t i = 0; i < n; i++)
		map[i] = i;
	source_mem_init(&src, image, bytes);
	j.w = window_over(&src.src, bytes, "image");
	j.map = map;
	if (jbd2_log_read(&j, &log, &err) < 0)
		return 0;
	memcpy(out, image, bytes);
	(void)jbd2_log_cover(&log, out, bytes, 0, &err);
	(void)jbd2_log_cover(&log, out, 100, bytes - 100, &err);
	(void)jbd2_log_touches(&log, BLOCK - 1, 2);
	jbd2_log_fini(&log);
	return 0;
}
