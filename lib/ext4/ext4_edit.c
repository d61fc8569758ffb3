/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "disk/ext_super.h"
#include "ext4/ext4_edit.h"
#include "ext4/ext4_edit_in.h"
#include "ext4/ext4_journal.h"

#include <stdio.h>
#include <string.h>

/* Runs of free blocks shorter than this are used last. */
#define SHORT_RUN 64u

int edit_error(const struct ext4_edit *e, const char *what, uint32_t ino, errcode_t code,
               struct err *err)
{
	const struct err *cause = ext4_overlay_error(e->overlay);

	if (cause->code)
		return err_set(err, cause->code, "%s", cause->text);
	return err_set(err, ERR_FORMAT, "%s: inode %u: %s: %s; run e2fsck -f", e->target->name, ino,
	               what, error_message(code));
}

/* ---- opening -------------------------------------------------------------- */

static void set_layout(struct ext4_edit *e)
{
	struct ext4_layout *lay = &e->layout;

	lay->blocks = ext2fs_blocks_count(e->fs->super);
	lay->groups = e->fs->group_desc_count;
	lay->block = e->fs->blocksize;
	lay->inode_size = EXT2_INODE_SIZE(e->fs->super);
	lay->inodes_per_group = e->fs->super->s_inodes_per_group;
	lay->itable_blocks = e->fs->inode_blocks_per_group;
	lay->itable = xcalloc(lay->groups, sizeof *lay->itable);
	for (uint32_t g = 0; g < lay->groups; g++)
		lay->itable[g] = ext2fs_inode_table_loc(e->fs, g);
}

/* Check that the tables are inside the file system, so that nothing is written outside it. */
static int check_tables(const struct ext4_edit *e, struct err *err)
{
	const struct ext4_layout *lay = &e->layout;

	for (uint32_t g = 0; g < lay->groups; g++)
		if (!lay->itable[g] || lay->itable[g] >= lay->blocks ||
		    lay->itable_blocks > lay->blocks - lay->itable[g])
			return err_set(
			        err, ERR_FORMAT,
			        "%s: group %u: inode table at block %llu of %llu; run e2fsck -f",
			        e->target->name, g, (unsigned long long)lay->itable[g],
			        (unsigned long long)lay->blocks);
	return 0;
}

/* ---- what is free --------------------------------------------------------- */

static void list_blocks(struct ext4_edit *e, bool short_runs)
{
	uint64_t last = e->layout.blocks - 1;
	blk64_t at = e->fs->super->s_first_data_block, from, end;

	while (at <= last &&
	       !ext2fs_find_first_zero_block_bitmap2(e->fs->block_map, at, last, &from)) {
		if (ext2fs_find_first_set_block_bitmap2(e->fs->block_map, from, last, &end))
			end = last + 1;
		if ((end - from < SHORT_RUN) == short_runs)
			ext4_space_add_blocks(&e->space, from, end - from);
		at = end;
	}
}

/* Free inodes from first on, up to last. */
static void list_inodes(struct ext4_edit *e, uint32_t first, uint32_t last)
{
	ext2_ino_t from, end;

	while (first <= last &&
	       !ext2fs_find_first_zero_inode_bitmap2(e->fs->inode_map, first, last, &from)) {
		if (ext2fs_find_first_set_inode_bitmap2(e->fs->inode_map, from, last, &end))
			end = last + 1;
		ext4_space_add_inodes(&e->space, from, end - from);
		first = end;
	}
}

/* The first unused inode of a group's table, see bg_itable_unused. */
static uint32_t first_pristine(const struct ext4_edit *e, uint32_t g)
{
	uint32_t per_group = e->layout.inodes_per_group;
	uint32_t unused = ext2fs_bg_itable_unused(e->fs, g);

	/*
	 * Without checksums of group descriptors, e2fsck reads every inode of a table. Without a
	 * journal, new inodes are written only in their step of the commit.
	 */
	if (!ext2fs_has_group_desc_csum(e->fs) || e->stepwise)
		unused = 0;
	else if (ext2fs_bg_flags_test(e->fs, g, EXT2_BG_INODE_UNINIT))
		unused = per_group;
	return g * per_group + 1 + per_group - MIN(unused, per_group);
}

static void list_free(struct ext4_edit *e)
{
	uint32_t per_group = e->layout.inodes_per_group;

	list_blocks(e, false);
	list_blocks(e, true);
	for (uint32_t g = 0; g < e->layout.groups; g++)
		list_inodes(e, first_pristine(e, g), (g + 1) * per_group);
	e->space.pristine = e->space.n_inodes;
	for (uint32_t g = 0; g < e->layout.groups; g++)
		list_inodes(e, MAX(g * per_group + 1, e->fs->super->s_first_ino),
		            first_pristine(e, g) - 1);
	e->space.overlay = e->overlay;
}

void edit_prepare(struct ext4_edit *e)
{
	set_layout(e);
	list_free(e);
	e->next = (struct ext4_place){0};
	ext4_writer_init(&e->writer, e->target, e->base, &e->ids, &e->layout);
	e->writer.space = &e->space;
}

static int prepare_writing(struct ext4_edit *e, struct err *err)
{
	errcode_t code = ext2fs_read_bitmaps(e->fs);
	int rc = check_tables(e, err);

	if (code)
		return edit_error(e, "reading the bitmaps", 0, code, err);
	if (rc < 0)
		return rc;
	ext4_layout_fini(&e->layout);
	e->fs->now = e->time;
	e->stepwise = !ext2fs_has_feature_journal(e->fs->super);
	edit_prepare(e);
	return 0;
}

static int open_checked(struct ext4_edit *e, const uint8_t *sb, uint64_t size, struct err *err)
{
	int flags = EXT2_FLAG_64BITS | EXT2_FLAG_MASTER_SB_ONLY | EXT2_FLAG_SKIP_MMP |
	            (e->write ? EXT2_FLAG_RW : 0);
	errcode_t code = ext4_overlay_open(e->overlay, flags, &e->fs);
	int rc;

	if (code) {
		e->fs = NULL;
		rc = edit_check_open(e->target->name, sb, code, err);
		return rc < 0 ? rc : edit_error(e, "opening the file system", 0, code, err);
	}
	rc = edit_check_state(e, err);
	if (rc == 0)
		rc = edit_check_features(e, err);
	if (rc < 0)
		return rc;
	edit_set_ids(e);
	set_layout(e);
	if (e->layout.blocks > size / e->fs->blocksize)
		return err_set(
		        err, ERR_FORMAT,
		        "%s: its file system is %llu bytes larger than its partition or disk",
		        e->target->name,
		        (unsigned long long)(e->layout.blocks * e->fs->blocksize - size));
	return e->write ? prepare_writing(e, err) : 0;
}

/* Read through the journal, or report why that is impossible. */
static void replay(struct ext4_edit *e)
{
	const int most = sizeof e->notice / 2;
	struct err why = ERR_INIT;

	if (ext4_overlay_replay(e->overlay, &why) < 0)
		snprintf(e->notice, sizeof e->notice,
		         "not cleanly unmounted, and read without its journal, which cannot be "
		         "replayed: %.*s",
		         most, why.text);
	else
		snprintf(e->notice, sizeof e->notice,
		         "not cleanly unmounted, and read as Linux will see it, with its journal "
		         "replayed");
}

int ext4_edit_open(const struct ext4_edit_request *req, struct ext4_edit **out, struct err *err)
{
	struct ext4_edit *e;
	uint8_t sb[EXT_SUPER_SIZE];
	struct ext_super super;
	int rc = ext4_journal_super(req->target, req->base, req->size, sb, &super, err);

	if (rc < 0)
		return rc;
	e = xcalloc(1, sizeof *e);
	e->target = req->target;
	e->base = req->base;
	e->time = req->time;
	e->write = req->write;
	e->size = req->size;
	e->overlay = ext4_overlay_new(req->target, req->base, req->size, super.block);
	if (super.unreplayed && !req->write)
		replay(e);
	rc = open_checked(e, sb, req->size, err);
	if (rc < 0) {
		ext4_edit_free(e);
		return rc;
	}
	*out = e;
	return 0;
}

void ext4_edit_free(struct ext4_edit *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->n_dirs; i++) {
		edit_dir_fini(e->dirs[i]);
		free(e->dirs[i]);
	}
	free(e->dirs);
	free(e->doomed);
	free(e->later);
	u32_map_fini(&e->dir_of);
	ext4_stream_free(e->stream);
	ext4_writer_fini(&e->writer);
	ext4_space_fini(&e->space);
	ext4_layout_fini(&e->layout);
	if (e->fs)
		ext2fs_free(e->fs);
	ext4_overlay_free(e->overlay);
	free(e);
}

void ext4_edit_freep(struct ext4_edit **e)
{
	ext4_edit_free(*e);
}

const char *ext4_edit_notice(const struct ext4_edit *e)
{
	return e->notice;
}

bool ext4_edit_has_journal(const struct ext4_edit *e)
{
	return ext2fs_has_feature_journal(e->fs->super);
}

const char *ext4_edit_label(const struct ext4_edit *e)
{
	return e->label;
}

const struct ext4_ids *ext4_edit_ids(const struct ext4_edit *e)
{
	return &e->ids;
}

uint64_t ext4_edit_free_bytes(const struct ext4_edit *e)
{
	return ext2fs_free_blocks_count(e->fs->super) * e->fs->blocksize;
}

uint64_t ext4_edit_bytes(const struct ext4_edit *e)
{
	return ext2fs_blocks_count(e->fs->super) * e->fs->blocksize;
}

/* ---- new trees ------------------------------------------------------------ */

struct ext4_writer *ext4_edit_writer(struct ext4_edit *e)
{
	return &e->writer;
}

int ext4_edit_take(struct ext4_edit *e, uint64_t blocks, uint64_t inodes, struct ext4_place *out,
                   struct err *err)
{
	char want[16], have[16];

	if (blocks > e->space.n_blocks - e->next.line)
		return err_set(
		        err, ERR_SPACE, "%s: not enough space: %s needed, %s free", e->target->name,
		        str_human(blocks * e->fs->blocksize, want),
		        str_human((e->space.n_blocks - e->next.line) * e->fs->blocksize, have));
	if (inodes > e->space.n_inodes - e->next.ino)
		return err_set(err, ERR_SPACE, "%s: not enough inodes: %llu needed, %u free",
		               e->target->name, (unsigned long long)inodes,
		               e->space.n_inodes - e->next.ino);
	*out = e->next;
	e->next.line += blocks;
	e->next.ino += (uint32_t)inodes;
	return 0;
}

void ext4_edit_used(struct ext4_edit *e, const struct ext4_place *from, uint64_t line_end,
                    uint32_t ino_end)
{
	uint64_t run, n;
	uint32_t inos;

	for (uint64_t line = from->line; line < line_end; line += n) {
		uint64_t phys = ext4_space_block(&e->space, line, &run);

		n = MIN(MIN(run, line_end - line), (uint64_t)(1u << 20));
		ext2fs_block_alloc_stats_range(e->fs, phys, (blk_t)n, +1);
	}
	for (uint32_t place = from->ino; place < ino_end; place++)
		ext2fs_inode_alloc_stats2(e->fs, ext4_space_ino(&e->space, place, &inos), +1, 0);
	/* libext2fs caches the block of the inode table that it read last. */
	ext2fs_flush_icache(e->fs);
}

struct ext4_stream *edit_stream(struct ext4_edit *e)
{
	if (!e->stream)
		e->stream = ext4_stream_new(&e->writer);
	return e->stream;
}

int ext4_edit_add(struct ext4_edit *e, uint32_t dir, const char *name, struct walk *walk,
                  struct err *err)
{
	struct ext4_stream *s = edit_stream(e);
	struct ext4_place from = e->next;
	struct ext4_object obj;
	int rc;

	ext4_stream_start(s, from.line, from.ino);
	rc = ext4_stream_tree(s, walk, dir, NULL, &obj, err);
	if (rc == 0)
		rc = ext4_stream_flush(s, err);
	if (rc < 0)
		return rc;
	e->next = ext4_stream_place(s);
	ext4_edit_used(e, &from, e->next.line, e->next.ino);
	return ext4_edit_link(e, dir, name, &obj, err);
}

/* ---- commit --------------------------------------------------------------- */

/* Directories were counted when they were written. */
static void count_dirs(struct ext4_edit *e)
{
	for (dgrp_t g = 0; g < e->layout.groups; g++) {
		uint32_t dirs = atomic_exchange(&e->writer.dirs[g], 0);

		if (!dirs)
			continue;
		ext2fs_bg_used_dirs_count_set(e->fs, g, ext2fs_bg_used_dirs_count(e->fs, g) + dirs);
		ext2fs_group_desc_csum_set(e->fs, g);
	}
}

int ext4_edit_stage(struct ext4_edit *e, struct err *err)
{
	int rc;

	if (e->flushed)
		return 0;
	rc = edit_dirs_write(e, err);
	if (rc < 0)
		return rc;
	count_dirs(e);
	e->flushed = true;
	return edit_flush(e, err);
}

int edit_flush(struct ext4_edit *e, struct err *err)
{
	errcode_t code;

	ext2fs_mark_super_dirty(e->fs);
	ext2fs_mark_ib_dirty(e->fs);
	ext2fs_mark_bb_dirty(e->fs);
	code = ext2fs_flush(e->fs);
	return code ? edit_error(e, "the changes", 0, code, err) : 0;
}

void ext4_edit_cover(struct ext4_edit *e, void *p, size_t n, uint64_t off)
{
	ext4_overlay_cover(e->overlay, p, n, off);
}

int ext4_edit_weigh(struct ext4_edit *e, size_t *blocks, size_t *room, struct err *err)
{
	_free_ struct ext4_change *changes = NULL;
	struct ext4_journal j;
	int rc = ext4_edit_stage(e, err);

	if (rc == 0)
		rc = ext4_overlay_changes(e->overlay, &changes, blocks, err);
	if (rc == 0)
		rc = ext4_journal_open(e->target, e->base, e->fs, &j, err);
	if (rc < 0)
		return rc;
	*room = ext4_journal_room(&j);
	ext4_journal_fini(&j);
	return 0;
}

int ext4_edit_commit(struct ext4_edit *e, bool *happened, struct err *err)
{
	_free_ struct ext4_change *changes = NULL;
	struct ext4_journal j;
	size_t n;
	int rc = ext4_edit_stage(e, err);

	*happened = false;
	if (rc == 0 && e->stepwise)
		return edit_commit_steps(e, happened, err);
	if (rc == 0)
		rc = ext4_overlay_changes(e->overlay, &changes, &n, err);
	if (rc == 0)
		rc = ext4_journal_open(e->target, e->base, e->fs, &j, err);
	if (rc < 0)
		return rc;
	rc = ext4_journal_commit(&j, changes, n, happened, err);
	ext4_journal_fini(&j);
	return rc;
}
