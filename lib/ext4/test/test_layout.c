/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "ext4/ext4_disk.h"
#include "ext4/ext4_layout.h"

/* Blocks of the line increase, and skip all copies of the superblock and descriptors. */
static void line_skips_backups(void **state)
{
	static const uint32_t areas[] = {256, 1024};

	for (size_t a = 0; a < ARRAY_LEN(areas); a++) {
		uint64_t line = 0, before = 0;

		for (unsigned step = 0; step < 200000; step++) {
			uint64_t run, phys = ext4_line_block(areas[a], line, &run);
			uint64_t group = phys / EXT4_GROUP_BLOCKS;

			assert_true(phys > before || line == 0);
			assert_true(run > 0);
			if (ext4_has_super((uint32_t)group))
				assert_true(phys % EXT4_GROUP_BLOCKS > areas[a]);
			before = phys;
			line += step % 7 == 0 ? run : 1 + run / 2;
			if (phys > EXT4_MAX_BYTES / EXT4_BLOCK)
				break;
		}
		assert_true(before > EXT4_MAX_BYTES / EXT4_BLOCK);
	}
}

static void backups(void **state)
{
	static const uint32_t with[] = {0, 1, 3, 5, 7, 9, 25, 27, 49, 81, 125, 243, 2401, 59049};
	static const uint32_t without[] = {2, 4, 6, 8, 10, 15, 21, 35, 26, 50, 63, 75, 59048};

	for (size_t i = 0; i < ARRAY_LEN(with); i++)
		assert_true(ext4_has_super(with[i]));
	for (size_t i = 0; i < ARRAY_LEN(without); i++)
		assert_false(ext4_has_super(without[i]));
}

/* Nothing overlaps, and nothing is outside the file system. */
static void check_layout(const struct ext4_layout *lay, const struct ext4_need *need)
{
	uint8_t *used = xcalloc(lay->blocks, 1);

	for (uint64_t line = 0; line < need->line_blocks; line++) {
		uint64_t run, phys = ext4_line_block(lay->gdt_area, line, &run);

		assert_true(phys < lay->blocks);
		assert_int_equal(used[phys]++, 0);
	}
	for (uint32_t g = 0; g < lay->groups; g++) {
		for (uint32_t i = 0; i < lay->itable_blocks; i++) {
			assert_true(lay->itable[g] + i < lay->blocks);
			assert_int_equal(used[lay->itable[g] + i]++, 0);
		}
		assert_int_equal(used[lay->bitmaps[2 * g]]++, 0);
		assert_int_equal(used[lay->bitmaps[2 * g + 1]]++, 0);
		if (ext4_has_super(g))
			for (uint32_t i = 0; i <= lay->gdt_area; i++)
				if ((uint64_t)g * EXT4_GROUP_BLOCKS + i < lay->blocks)
					assert_int_equal(
					        used[(uint64_t)g * EXT4_GROUP_BLOCKS + i]++, 0);
	}
	assert_true((uint64_t)lay->groups * lay->inodes_per_group >= need->inodes);
	free(used);
}

static void sizes(void **state)
{
	static const struct ext4_need needs[] = {
	        {1, 20}, {5000, 300}, {32000, 100}, {32600, 40000}, {400000, 64000}, {1000000, 20},
	};
	static const uint64_t spares[] = {0, 1 << 20, 300 << 20, 1ull << 30};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		for (size_t k = 0; k < ARRAY_LEN(spares); k++) {
			struct ext4_layout lay, again;

			assert_ok(ext4_layout_auto(&needs[i], spares[k], &lay, &err), &err);
			check_layout(&lay, &needs[i]);
			assert_true(lay.free_blocks * EXT4_BLOCK >= spares[k]);
			/* The size that auto chose is sufficient as a fixed size. */
			assert_ok(
			        ext4_layout_fixed(&needs[i], lay.blocks * EXT4_BLOCK, &again, &err),
			        &err);
			assert_int_equal(again.blocks, lay.blocks);
			ext4_layout_fini(&lay);
			ext4_layout_fini(&again);
		}
	}
}

static void too_small(void **state)
{
	struct ext4_need need = {100000, 5000};
	struct ext4_layout lay;
	struct err err = ERR_INIT;

	assert_fails(ext4_layout_fixed(&need, 100 << 20, &lay, &err), &err, ERR_SPACE,
	             "at least 4");
	assert_fails(ext4_layout_fixed(&need, 4096, &lay, &err), &err, ERR_SPACE, "too small");
	assert_fails(ext4_layout_fixed(&need, 100ull << 40, &lay, &err), &err, ERR_LIMIT,
	             "the limit is 7.0 TiB");
}

static void large(void **state)
{
	struct ext4_need need = {400000, 64000};
	static const uint64_t gib[] = {10, 100, 1000, 1024, 2048, 6000};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(gib); i++) {
		struct ext4_layout lay;

		assert_ok(ext4_layout_fixed(&need, gib[i] << 30, &lay, &err), &err);
		/* All descriptors fit into the area, and some reserve is left. */
		assert_true((lay.groups + 63) / 64 < lay.gdt_area);
		ext4_layout_fini(&lay);
	}
}

/* Wherever it is, a file without leaf blocks has at most four extents. */
static void leaves(void **state)
{
	const uint64_t blocks = 65536;
	const uint8_t uuid[16] = {0};
	struct ext4_ids ids;

	ext4_ids_init(&ids, uuid);
	assert_int_equal(ext4_map_blocks(&ids, blocks), 0);
	assert_int_equal(ext4_map_blocks(&ids, blocks + 1), 1);
	for (uint64_t start = 0; start < 12 * 32768; start += 61) {
		uint64_t done = 0, extents = 0;

		while (done < blocks) {
			uint64_t run;

			ext4_line_block(256, start + done, &run);
			done += MIN(MIN(run, blocks - done), (uint64_t)EXT4_EXTENT_LEN_MAX);
			extents++;
		}
		assert_true(extents <= EXT4_EXTENTS_INLINE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(line_skips_backups),
	        cmocka_unit_test(backups),
	        cmocka_unit_test(sizes),
	        cmocka_unit_test(too_small),
	        cmocka_unit_test(large),
	        cmocka_unit_test(leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
