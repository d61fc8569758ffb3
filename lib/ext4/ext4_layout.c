/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/str.h"
#include "ext4/ext4_layout.h"

#include <inttypes.h>

/* sparse_super: 1 and the powers of 3, 5 and 7, as far as EXT4_MAX_BYTES. */
static const uint32_t backup_groups[] = {
        1,   3,   5,   7,    9,    25,   27,   49,    81,    125,   243,
        343, 625, 729, 2187, 2401, 3125, 6561, 15625, 16807, 19683, 59049,
};

#define GDT_AREA_USUAL 256u  /* grows to 2 TiB */
#define GDT_AREA_LARGE 1024u /* to 8 TiB */
#define GDT_AREA_LARGE_FROM (1ull << 40)
#define INODE_RATIO 16384u /* bytes for each inode, where files are not smaller */
#define INODES_PER_GROUP_MAX (8 * EXT4_BLOCK)
#define LAST_GROUP_SPARE                                                                           \
	50u /* blocks that libext2fs requires beyond the overhead of the last group */
/*
 * Blocks that libext2fs allocates itself: for the resize inode, and extent blocks of a journal that
 * is not contiguous.
 */
#define LIBRARY_BLOCKS 16u

uint32_t ext4_gdt_area(uint64_t bytes)
{
	return bytes >= GDT_AREA_LARGE_FROM ? GDT_AREA_LARGE : GDT_AREA_USUAL;
}

bool ext4_has_super(uint32_t group)
{
	if (group == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(backup_groups); i++)
		if (backup_groups[i] == group)
			return true;
	return false;
}

uint64_t ext4_line_block(uint32_t gdt_area, uint64_t line, uint64_t *run)
{
	uint64_t start = 1 + gdt_area;

	for (size_t i = 0; i < ARRAY_LEN(backup_groups); i++) {
		uint64_t end = (uint64_t)backup_groups[i] * EXT4_GROUP_BLOCKS;

		if (line < end - start) {
			*run = end - start - line;
			return start + line;
		}
		line -= end - start;
		start = end + 1 + gdt_area;
	}
	*run = UINT64_MAX - line - start;
	return start + line;
}

/* The number of blocks in the line of a file system of this size. */
static uint64_t line_capacity(uint32_t gdt_area, uint64_t blocks)
{
	uint64_t capacity = blocks;

	for (uint64_t g = 0; g * EXT4_GROUP_BLOCKS < blocks; g++) {
		if (g && !ext4_has_super((uint32_t)g))
			continue;
		capacity -= MIN((uint64_t)gdt_area + 1, blocks - g * EXT4_GROUP_BLOCKS);
	}
	return capacity;
}

/* The journal sizes of mke2fs. */
static uint64_t journal_blocks(uint64_t blocks)
{
	static const struct {
		uint64_t below, journal;
	} steps[] = {
	        {32768, 1024},          {256 * 1024, 4096},   {512 * 1024, 8192},
	        {4096 * 1024, 16384},   {8192 * 1024, 32768}, {16384 * 1024, 65536},
	        {32768 * 1024, 131072},
	};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (blocks < steps[i].below)
			return steps[i].journal;
	return 262144;
}

static uint32_t inodes_per_group(const struct ext4_need *need, uint64_t blocks, uint32_t groups)
{
	uint64_t by_size = blocks / (INODE_RATIO / EXT4_BLOCK) / groups;
	uint64_t by_need = (need->inodes + need->inodes / 4 + 64 + groups - 1) / groups;
	uint64_t n = MAX(by_size, by_need);

	n = (n + EXT4_INODES_PER_BLOCK - 1) / EXT4_INODES_PER_BLOCK * EXT4_INODES_PER_BLOCK;
	return (uint32_t)MIN(n, INODES_PER_GROUP_MAX);
}

/* Take n contiguous blocks of the line at or after *line; the first of them. */
static uint64_t take_run(uint32_t gdt_area, uint64_t *line, uint64_t n)
{
	uint64_t run, at = ext4_line_block(gdt_area, *line, &run);

	while (run < n) {
		*line += run;
		at = ext4_line_block(gdt_area, *line, &run);
	}
	*line += n;
	return at;
}

/* A last group that is too small for its own tables is left out, as libext2fs does it. */
static uint64_t usable_blocks(uint64_t blocks, uint32_t gdt_area, uint32_t itable_blocks)
{
	uint64_t rem = blocks % EXT4_GROUP_BLOCKS, overhead = 2 + itable_blocks;

	if (blocks < EXT4_GROUP_BLOCKS || !rem)
		return blocks;
	if (ext4_has_super((uint32_t)(blocks / EXT4_GROUP_BLOCKS)))
		overhead += 1 + gdt_area;
	return rem < overhead + LAST_GROUP_SPARE ? blocks - rem : blocks;
}

static void place_tables(struct ext4_layout *lay)
{
	uint64_t line = lay->line_blocks;

	lay->itable = xcalloc(lay->groups, sizeof *lay->itable);
	lay->bitmaps = xcalloc((size_t)lay->groups * 2, sizeof *lay->bitmaps);
	for (uint32_t g = 0; g < lay->groups; g++)
		lay->itable[g] = take_run(lay->gdt_area, &line, lay->itable_blocks);
	for (uint32_t i = 0; i < lay->groups * 2; i++)
		lay->bitmaps[i] = take_run(lay->gdt_area, &line, 1);
	lay->line_used = line;
}

/* Lay out a file system of this many blocks; false if need and the spare blocks do not fit. */
static bool try_layout(const struct ext4_need *need, uint64_t blocks, uint32_t gdt_area,
                       uint64_t spare, struct ext4_layout *lay)
{
	uint64_t capacity, used;

	*lay = (struct ext4_layout){.gdt_area = gdt_area,
	                            .line_blocks = need->line_blocks,
	                            .block = EXT4_BLOCK,
	                            .inode_size = EXT4_INODE_SIZE};
	for (;;) {
		uint64_t usable;

		lay->groups = (uint32_t)((blocks + EXT4_GROUP_BLOCKS - 1) / EXT4_GROUP_BLOCKS);
		lay->inodes_per_group = inodes_per_group(need, blocks, lay->groups);
		lay->itable_blocks = lay->inodes_per_group / EXT4_INODES_PER_BLOCK;
		usable = usable_blocks(blocks, gdt_area, lay->itable_blocks);
		if (usable == blocks)
			break;
		blocks = usable;
	}
	lay->blocks = blocks;
	lay->journal_blocks = journal_blocks(blocks);
	capacity = line_capacity(gdt_area, blocks);
	if ((uint64_t)lay->groups * lay->inodes_per_group < need->inodes ||
	    capacity < need->line_blocks)
		return false;
	place_tables(lay);
	used = lay->line_used + lay->journal_blocks + LIBRARY_BLOCKS;
	if (capacity < used + spare)
		return false;
	lay->free_blocks = capacity - used;
	return true;
}

int ext4_layout_auto(const struct ext4_need *need, uint64_t spare, struct ext4_layout *out,
                     struct err *err)
{
	uint64_t spare_blocks = (spare + EXT4_BLOCK - 1) / EXT4_BLOCK, step = 256;
	uint64_t lo = EXT4_MIN_BYTES / EXT4_BLOCK / step, hi = EXT4_MAX_BYTES / EXT4_BLOCK / step;
	struct ext4_layout lay;

	/*
	 * In whole MiB. The size is not quite monotonic at group boundaries; the last steps upwards
	 * correct that.
	 */
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		bool fits = try_layout(need, mid * step, ext4_gdt_area(0), spare_blocks, &lay);

		ext4_layout_fini(&lay);
		if (fits)
			hi = mid;
		else
			lo = mid + 1;
	}
	if (!try_layout(need, lo * step, ext4_gdt_area(0), spare_blocks, &lay)) {
		ext4_layout_fini(&lay);
		return err_set(err, ERR_SPACE,
		               "no file system of up to %llu TiB can hold %" PRIu64
		               " blocks and %" PRIu64 " inodes",
		               EXT4_MAX_BYTES >> 40, need->line_blocks, need->inodes);
	}
	*out = lay;
	return 0;
}

int ext4_layout_fixed(const struct ext4_need *need, uint64_t bytes, struct ext4_layout *out,
                      struct err *err)
{
	char have[16], want[16];
	struct ext4_layout lay;
	struct err minor = ERR_INIT;
	const uint64_t mib = 1 << 20;

	if (bytes > EXT4_MAX_BYTES)
		return err_set(err, ERR_LIMIT, "a file system of %s: the limit is %s",
		               str_human(bytes, have), str_human(EXT4_MAX_BYTES, want));
	if (bytes >= EXT4_MIN_BYTES &&
	    try_layout(need, bytes / EXT4_BLOCK, ext4_gdt_area(bytes), 0, &lay)) {
		*out = lay;
		return 0;
	}
	if (bytes >= EXT4_MIN_BYTES)
		ext4_layout_fini(&lay);
	if (ext4_layout_auto(need, 0, &lay, &minor) < 0)
		return err_set(err, ERR_SPACE, "%s", minor.text);
	err_set(err, ERR_SPACE,
	        "a file system of %s is too small: at least %" PRIu64 "M are needed",
	        str_human(bytes, have), (lay.blocks * EXT4_BLOCK + mib - 1) / mib);
	ext4_layout_fini(&lay);
	return -ERR_SPACE;
}

void ext4_layout_fini(struct ext4_layout *lay)
{
	free(lay->itable);
	free(lay->bitmaps);
	lay->itable = NULL;
	lay->bitmaps = NULL;
}

uint64_t ext4_inode_offset(const struct ext4_layout *lay, uint32_t ino)
{
	uint32_t group = (ino - 1) / lay->inodes_per_group;
	uint32_t index = (ino - 1) % lay->inodes_per_group;

	return lay->itable[group] * lay->block + (uint64_t)index * lay->inode_size;
}
