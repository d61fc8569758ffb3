/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/mem.h"
#include "ext4/ext4_channel.h"
#include "ext4/ext4_finish.h"

#include <ext2fs/ext2fs.h>
#include <string.h>

#define INODES_RESERVED 10u
#define RESERVED_PERCENT 1u

/* ---- libext2fs's way to the target ---------------------------------------- */

/* The first block is not written until the end. */
struct place {
	struct target *target;
	uint64_t base;
	uint8_t *first;
	struct err *err; /* why a write failed */
};

static errcode_t read_at(void *data, uint64_t off, void *to, size_t n)
{
	struct place *at = data;

	if (off + n <= EXT4_BLOCK) {
		memcpy(to, at->first + off, n);
		return 0;
	}
	return target_read(at->target, to, n, at->base + off, at->err) < 0 ? EIO : 0;
}

static errcode_t write_at(void *data, uint64_t off, const void *from, size_t n)
{
	struct place *at = data;

	if (off < EXT4_BLOCK) {
		size_t m = MIN(n, (size_t)(EXT4_BLOCK - off));

		memcpy(at->first + off, from, m);
		off += m;
		from = (const char *)from + m;
		n -= m;
	}
	if (n && target_write_small(at->target, from, n, at->base + off, at->err) < 0)
		return EIO;
	return 0;
}

static errcode_t zero_at(void *data, uint64_t off, uint64_t n)
{
	struct place *at = data;

	return target_zero(at->target, at->base + off, n, at->err) < 0 ? EIO : 0;
}

/* ---- the file system ------------------------------------------------------ */

/* The journal's blocks are reserved when it is made. */
static void set_features(struct ext2_super_block *sb)
{
	ext2fs_set_feature_xattr(sb);
	ext2fs_set_feature_resize_inode(sb);
	ext2fs_set_feature_dir_index(sb);
	ext2fs_set_feature_filetype(sb);
	ext2fs_set_feature_extents(sb);
	ext2fs_set_feature_64bit(sb);
	ext2fs_set_feature_flex_bg(sb);
	ext2fs_set_feature_sparse_super(sb);
	ext2fs_set_feature_large_file(sb);
	ext2fs_set_feature_huge_file(sb);
	ext2fs_set_feature_dir_nlink(sb);
	ext2fs_set_feature_extra_isize(sb);
	ext2fs_set_feature_metadata_csum(sb);
}

static uint32_t descriptor_blocks(uint32_t groups)
{
	return (groups + EXT4_BLOCK / 64 - 1) / (EXT4_BLOCK / 64);
}

static void set_parameters(const struct ext4_layout *lay, struct ext2_super_block *sb)
{
	memset(sb, 0, sizeof *sb);
	sb->s_rev_level = EXT2_DYNAMIC_REV;
	sb->s_log_block_size = 2;
	sb->s_log_cluster_size = 2;
	sb->s_inode_size = EXT4_INODE_SIZE;
	sb->s_desc_size = 64;
	sb->s_log_groups_per_flex = 4;
	sb->s_inodes_count = lay->groups * lay->inodes_per_group;
	sb->s_reserved_gdt_blocks = (uint16_t)(lay->gdt_area - descriptor_blocks(lay->groups));
	set_features(sb);
	ext2fs_blocks_count_set(sb, lay->blocks);
	ext2fs_r_blocks_count_set(sb, lay->blocks * RESERVED_PERCENT / 100);
}

static void set_identity(ext2_filsys fs, const struct ext4_ids *ids, const struct ext4_final *fin)
{
	struct ext2_super_block *sb = fs->super;

	fs->now = fin->time;
	sb->s_mkfs_time = sb->s_lastcheck = sb->s_wtime = (uint32_t)fin->time;
	sb->s_mkfs_time_hi = sb->s_lastcheck_hi = sb->s_wtime_hi = (uint8_t)(fin->time >> 32);
	memcpy(sb->s_uuid, ids->uuid, 16);
	memcpy(sb->s_hash_seed, ids->hash_seed, 16);
	sb->s_def_hash_version = EXT2_HASH_HALF_MD4;
	sb->s_flags = EXT2_FLAGS_UNSIGNED_HASH;
	memset(sb->s_volume_name, 0, EXT4_LABEL_MAX);
	memcpy(sb->s_volume_name, fin->label, strnlen(fin->label, EXT4_LABEL_MAX));
	sb->s_default_mount_opts = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL;
	sb->s_min_extra_isize = sb->s_want_extra_isize = 32;
	sb->s_max_mnt_count = -1; /* no check by count */
	sb->s_checkinterval = 0;
	sb->s_checksum_type = EXT2_CRC32C_CHKSUM;
	ext2fs_init_csum_seed(fs);
}

static bool layout_agrees(ext2_filsys fs, const struct ext4_layout *lay)
{
	return ext2fs_blocks_count(fs->super) == lay->blocks &&
	       fs->group_desc_count == lay->groups &&
	       fs->super->s_inodes_per_group == lay->inodes_per_group &&
	       fs->inode_blocks_per_group == lay->itable_blocks &&
	       fs->desc_blocks + fs->super->s_reserved_gdt_blocks == lay->gdt_area;
}

static void use_blocks(ext2_filsys fs, uint64_t first, uint64_t n)
{
	while (n) {
		blk_t m = (blk_t)MIN(n, (uint64_t)(1u << 20));

		ext2fs_block_alloc_stats_range(fs, first, m, +1);
		first += m;
		n -= m;
	}
}

static void use_line(ext2_filsys fs, const struct ext4_layout *lay, uint64_t blocks)
{
	for (uint64_t line = 0, run; line < blocks; line += run) {
		uint64_t phys = ext4_line_block(lay->gdt_area, line, &run);

		run = MIN(run, blocks - line);
		use_blocks(fs, phys, run);
	}
}

static void use_tables(ext2_filsys fs, const struct ext4_layout *lay)
{
	for (dgrp_t g = 0; g < lay->groups; g++) {
		ext2fs_inode_table_loc_set(fs, g, lay->itable[g]);
		use_blocks(fs, lay->itable[g], lay->itable_blocks);
		ext2fs_block_bitmap_loc_set(fs, g, lay->bitmaps[2 * g]);
		ext2fs_inode_bitmap_loc_set(fs, g, lay->bitmaps[2 * g + 1]);
		use_blocks(fs, lay->bitmaps[2 * g], 1);
		use_blocks(fs, lay->bitmaps[2 * g + 1], 1);
	}
}

/* Inodes 1 to last are in use; the rest of the tables is known to be zero. */
static void use_inodes(ext2_filsys fs, const struct ext4_writer *w, uint32_t last)
{
	uint32_t per_group = w->layout->inodes_per_group;

	for (ext2_ino_t ino = 1; ino <= last; ino++)
		ext2fs_mark_inode_bitmap2(fs->inode_map, ino);
	for (dgrp_t g = 0; g < w->layout->groups; g++) {
		uint64_t first = (uint64_t)g * per_group;
		uint32_t used = last > first ? (uint32_t)MIN(last - first, (uint64_t)per_group) : 0;

		ext2fs_bg_free_inodes_count_set(fs, g, per_group - used);
		ext2fs_bg_itable_unused_set(fs, g, per_group - used);
		ext2fs_bg_used_dirs_count_set(fs, g, w->dirs[g]);
		ext2fs_bg_flags_set(fs, g, EXT2_BG_INODE_ZEROED);
		if (used)
			ext2fs_bg_flags_clear(fs, g, EXT2_BG_INODE_UNINIT);
		else
			ext2fs_bg_flags_set(fs, g, EXT2_BG_INODE_UNINIT);
		ext2fs_group_desc_csum_set(fs, g);
	}
	fs->super->s_free_inodes_count = fs->super->s_inodes_count - last;
}

/* The superblock has a copy of where the journal is: s_jnl_blocks, struct ext4_super_block. */
static void back_up_journal(ext2_filsys fs, const struct ext2_inode *inode)
{
	struct ext2_super_block *sb = fs->super;

	memcpy(sb->s_jnl_blocks, inode->i_block, sizeof inode->i_block);
	sb->s_jnl_blocks[15] = inode->i_size_high;
	sb->s_jnl_blocks[16] = inode->i_size;
	sb->s_jnl_backup_type = EXT3_JNL_BACKUP_BLOCKS;
	sb->s_journal_inum = EXT2_JOURNAL_INO;
	ext2fs_set_feature_journal(sb);
	ext2fs_mark_super_dirty(fs);
}

/* The journal's file, in the free blocks after the line. Only the first one is not zero. */
static errcode_t add_journal_file(ext2_filsys fs, const struct ext4_layout *lay, char *superblock)
{
	uint64_t run, goal = ext4_line_block(lay->gdt_area, lay->line_used, &run);
	blk64_t first;
	struct ext2_inode inode = {
	        .i_mode = LINUX_S_IFREG | 0600, .i_links_count = 1, .i_flags = EXT4_EXTENTS_FL};
	errcode_t code =
	        ext2fs_inode_size_set(fs, &inode, (ext2_off64_t)lay->journal_blocks * EXT4_BLOCK);

	inode.i_mtime = inode.i_ctime = (uint32_t)fs->now;
	if (!code)
		code = ext2fs_fallocate(fs, EXT2_FALLOCATE_FORCE_INIT, EXT2_JOURNAL_INO, &inode,
		                        goal, 0, lay->journal_blocks);
	if (!code)
		code = ext2fs_write_new_inode(fs, EXT2_JOURNAL_INO, &inode);
	if (!code)
		code = ext2fs_bmap2(fs, EXT2_JOURNAL_INO, &inode, NULL, 0, 0, NULL, &first);
	if (!code)
		code = io_channel_write_blk64(fs->io, first, 1, superblock);
	if (!code)
		back_up_journal(fs, &inode);
	return code;
}

/*
 * ext2fs_add_journal_inode3() would look on the host whether the file system is mounted, which a
 * jail forbids.
 */
static errcode_t add_journal(ext2_filsys fs, const struct ext4_layout *lay)
{
	struct ext2fs_journal_params params = {.num_journal_blocks = (blk_t)lay->journal_blocks};
	char *superblock;
	errcode_t code = ext2fs_create_journal_superblock2(fs, &params, 0, &superblock);

	if (code)
		return code;
	code = add_journal_file(fs, lay, superblock);
	ext2fs_free_mem(&superblock);
	return code;
}

/*
 * Set *err for an operation of libext2fs that failed. The target's own error tells more, if there
 * is one.
 */
static int library_error(const char *what, errcode_t code, struct err *err)
{
	if (err->code)
		return -(int)err->code;
	return err_set(err, ERR_IO, "%s: libext2fs: %s", what, error_message(code));
}

static int fill_in(ext2_filsys fs, struct ext4_writer *w, const struct ext4_final *fin,
                   struct err *err)
{
	errcode_t code;

	if (!layout_agrees(fs, w->layout))
		return err_set(err, ERR_UNSUPPORTED,
		               "this version of libext2fs lays out a file system of %llu blocks "
		               "differently",
		               (unsigned long long)w->layout->blocks);
	set_identity(fs, w->ids, fin);
	use_line(fs, w->layout, fin->line);
	use_tables(fs, w->layout);
	use_inodes(fs, w, fin->inodes);
	code = ext2fs_create_resize_inode(fs);
	if (code)
		return library_error("reserve for growing", code, err);
	code = add_journal(fs, w->layout);
	if (code)
		return library_error("journal", code, err);
	return 0;
}

int ext4_finish(struct ext4_writer *w, const struct ext4_final *fin, uint8_t first[4096],
                struct err *err)
{
	struct place at = {.target = w->target, .base = w->base, .first = first, .err = err};
	const struct ext4_channel channel = {
	        .data = &at, .read = read_at, .write = write_at, .zero = zero_at};
	struct ext2_super_block params;
	ext2_filsys fs = NULL;
	errcode_t code;
	int rc;

	err->code = ERR_NONE;
	memset(first, 0, EXT4_BLOCK);
	set_parameters(w->layout, &params);
	initialize_ext2_error_table(); /* for error_message() */
	code = ext2fs_initialize("target", EXT2_FLAG_64BITS | EXT2_FLAG_EXCLUSIVE, &params,
	                         ext4_channel_manager(&channel), &fs);
	if (code)
		return library_error("a new file system", code, err);
	rc = fill_in(fs, w, fin, err);
	if (rc < 0) {
		ext2fs_free(fs);
		return rc;
	}
	code = ext2fs_close_free(&fs);
	return code ? library_error("writing the file system", code, err) : 0;
}
