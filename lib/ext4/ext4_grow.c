/* SPDX-License-Identifier: MIT */
/*
 * A larger file system, as one more change of an edit. New groups stand behind
 * the old ones: their tables are written where nothing reads them yet;
 * descriptors, backups and the resize inode, whose blocks the descriptors grow
 * into, are part of the commit. What libext2fs does not export follows what
 * resize2fs does.
 */
#include "base/mem.h"
#include "ext4/ext4_edit_in.h"

#include <string.h>

/* Blocks that libext2fs requires beyond the overhead of the last group. */
#define LAST_GROUP_SPARE 50u

struct growth {
	struct ext4_edit *e;
	ext2_filsys fs;
	uint64_t old_blocks, blocks;
	dgrp_t old_groups, groups;
	unsigned long old_desc, desc; /* blocks of descriptors */
};

static dgrp_t groups_for(const struct growth *g, uint64_t blocks)
{
	const struct ext2_super_block *sb = g->fs->super;
	uint64_t per_group = sb->s_blocks_per_group;

	return (dgrp_t)((blocks - sb->s_first_data_block + per_group - 1) / per_group);
}

/* A last group that is too small for its own tables is left out. */
static uint64_t usable(const struct growth *g, uint64_t blocks)
{
	const struct ext2_super_block *sb = g->fs->super;
	uint64_t rest = (blocks - sb->s_first_data_block) % sb->s_blocks_per_group;
	uint64_t overhead = 3 + g->fs->inode_blocks_per_group + g->desc +
	                    sb->s_reserved_gdt_blocks + LAST_GROUP_SPARE;

	return rest && rest < overhead && groups_for(g, blocks) > g->old_groups ? blocks - rest
	                                                                        : blocks;
}

static int check(struct growth *g, struct err *err)
{
	struct ext2_super_block *sb = g->fs->super;
	const char *name = g->e->target->name;
	uint64_t per_desc = EXT2_DESC_PER_BLOCK(sb), most;
	char text[16];

	if (ext2fs_has_feature_meta_bg(sb) || !ext2fs_has_feature_journal(sb))
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: domstrap cannot grow an ext4 %s; use resize2fs", name,
		               ext2fs_has_feature_meta_bg(sb) ? "with the feature meta_bg"
		                                              : "without the feature has_journal");
	most = (g->old_desc + sb->s_reserved_gdt_blocks) * per_desc * sb->s_blocks_per_group;
	if (!ext2fs_has_feature_64bit(sb))
		most = MIN(most, (uint64_t)UINT32_MAX);
	if (g->blocks > most)
		return err_set(
		        err, ERR_LIMIT,
		        "%s: its reserved group descriptors allow growth to %s only; use resize2fs",
		        name, str_human(most * g->fs->blocksize, text));
	if ((uint64_t)g->groups * sb->s_inodes_per_group > UINT32_MAX)
		return err_set(err, ERR_LIMIT, "%s: too many inodes for ext4", name);
	return 0;
}

/* Bitmaps, counts and descriptors for all groups; the new ones zero. */
static errcode_t widen(struct growth *g)
{
	ext2_filsys fs = g->fs;
	struct ext2_super_block *sb = fs->super;
	uint64_t reserved = ext2fs_r_blocks_count(sb) * g->blocks / g->old_blocks;
	uint32_t inodes = g->groups * sb->s_inodes_per_group;
	errcode_t code = ext2fs_resize_block_bitmap2(g->blocks - 1,
	                                             (uint64_t)g->groups * sb->s_blocks_per_group -
	                                                     1 + sb->s_first_data_block,
	                                             fs->block_map);

	if (!code)
		code = ext2fs_resize_inode_bitmap2(inodes, inodes, fs->inode_map);
	if (!code)
		code = ext2fs_resize_mem(g->old_desc * fs->blocksize, g->desc * fs->blocksize,
		                         &fs->group_desc);
	if (code)
		return code;
	memset((char *)fs->group_desc + g->old_desc * fs->blocksize, 0,
	       (g->desc - g->old_desc) * fs->blocksize);
	ext2fs_blocks_count_set(sb, g->blocks);
	ext2fs_r_blocks_count_set(sb, reserved);
	sb->s_free_inodes_count += inodes - sb->s_inodes_count;
	sb->s_inodes_count = inodes;
	sb->s_reserved_gdt_blocks -= (uint16_t)(g->desc - g->old_desc);
	fs->desc_blocks = g->desc;
	fs->group_desc_count = g->groups;
	return 0;
}

static int add_group(struct growth *g, dgrp_t group, struct err *err)
{
	ext2_filsys fs = g->fs;
	uint32_t per_group = fs->super->s_inodes_per_group;
	errcode_t code;

	ext2fs_bg_flags_zap(fs, group);
	ext2fs_bg_free_inodes_count_set(fs, group, per_group);
	if (ext2fs_has_group_desc_csum(fs)) {
		ext2fs_bg_flags_set(fs, group, EXT2_BG_INODE_UNINIT | EXT2_BG_INODE_ZEROED);
		ext2fs_bg_itable_unused_set(fs, group, per_group);
	}
	ext2fs_bg_used_dirs_count_set(fs, group, 0);
	ext2fs_reserve_super_and_bgd(fs, group, fs->block_map);
	code = ext2fs_allocate_group_table(fs, group, fs->block_map);
	if (code)
		return edit_error(g->e, "a new group", 0, code, err);
	return target_zero(g->e->target,
	                   g->e->base + ext2fs_inode_table_loc(fs, group) * fs->blocksize,
	                   (uint64_t)fs->inode_blocks_per_group * fs->blocksize, err);
}

/* Count free blocks and inodes of each group, from the first group that changed. */
static errcode_t count_free(struct growth *g)
{
	ext2_filsys fs = g->fs;
	uint64_t total = 0;

	for (dgrp_t i = 0; i < g->groups; i++) {
		blk64_t first = ext2fs_group_first_block2(fs, i);
		uint64_t n = ext2fs_group_blocks_count(fs, i), used = 0;
		uint8_t bits[EXT4_GROUP_BLOCKS / 8] = {0};
		errcode_t code =
		        ext2fs_get_block_bitmap_range2(fs->block_map, first, (size_t)n, bits);

		if (code)
			return code;
		for (uint64_t b = 0; b < n; b++)
			used += bits[b / 8] >> (b % 8) & 1;
		ext2fs_bg_free_blocks_count_set(fs, i, (uint32_t)(n - used));
		ext2fs_group_desc_csum_set(fs, i);
		total += n - used;
	}
	ext2fs_free_blocks_count_set(fs->super, total);
	return 0;
}

/*
 * The resize inode maps every reserved block and its copies. It is written anew: it loses the
 * blocks that the descriptors take, and gets the new copies.
 */
static errcode_t remake_resize_inode(struct growth *g)
{
	_free_ uint8_t *zeros = xcalloc(1, g->fs->blocksize);
	struct ext2_inode in;
	errcode_t code;

	if (!ext2fs_has_feature_resize_inode(g->fs->super))
		return 0;
	code = ext2fs_read_inode(g->fs, EXT2_RESIZE_INO, &in);
	if (code)
		return code;
	if (!in.i_block[EXT2_DIND_BLOCK] || in.i_block[EXT2_DIND_BLOCK] >= g->old_blocks)
		return EXT2_ET_RESIZE_INODE_CORRUPT;
	code = ext2fs_iblk_set(g->fs, &in, 1);
	if (!code)
		code = ext2fs_write_inode(g->fs, EXT2_RESIZE_INO, &in);
	if (!code)
		code = io_channel_write_blk64(g->fs->io, in.i_block[EXT2_DIND_BLOCK], 1, zeros);
	return code ? code : ext2fs_create_resize_inode(g->fs);
}

/* The edit's list of free space. */
static void look_again(struct ext4_edit *e)
{
	ext4_layout_fini(&e->layout);
	ext4_space_fini(&e->space);
	ext4_writer_fini(&e->writer);
	edit_prepare(e);
}

int ext4_edit_grow(struct ext4_edit *e, uint64_t bytes, struct err *err)
{
	struct growth g = {.e = e, .fs = e->fs, .blocks = bytes / e->fs->blocksize};
	errcode_t code;
	int rc;

	g.old_blocks = e->layout.blocks;
	g.old_groups = e->layout.groups;
	g.old_desc = e->fs->desc_blocks;
	g.desc = g.old_desc;
	g.blocks = usable(&g, g.blocks);
	if (g.blocks <= g.old_blocks)
		return 1;
	g.groups = groups_for(&g, g.blocks);
	g.desc = (g.groups + EXT2_DESC_PER_BLOCK(e->fs->super) - 1) /
	         EXT2_DESC_PER_BLOCK(e->fs->super);
	rc = check(&g, err);
	if (rc < 0)
		return rc;
	code = widen(&g);
	for (dgrp_t i = g.old_groups; !code && i < g.groups && rc == 0; i++)
		rc = add_group(&g, i, err);
	if (rc < 0)
		return rc;
	if (!code)
		code = count_free(&g);
	if (!code)
		code = remake_resize_inode(&g);
	if (code)
		return edit_error(e, "growing", EXT2_RESIZE_INO, code, err);
	/* The backups of superblock and descriptors are changed, too. */
	e->fs->flags &= ~EXT2_FLAG_MASTER_SB_ONLY;
	look_again(e);
	return 0;
}
