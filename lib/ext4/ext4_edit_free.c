/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/walk_tree.h"
#include "ext4/ext4_edit_in.h"

#include <string.h>

#define DEPTH_MAX 128u

struct freeing {
	struct ext4_edit *e;
	uint64_t blocks;
	bool bad;
};

static int free_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t at, blk64_t ref, int ref_offset,
                      void *arg)
{
	struct freeing *f = arg;

	(void)at;
	(void)ref;
	(void)ref_offset;
	if (*block <= fs->super->s_first_data_block || *block >= f->e->layout.blocks ||
	    !ext2fs_test_block_bitmap2(fs->block_map, *block)) {
		f->bad = true;
		return BLOCK_ABORT;
	}
	f->blocks++;
	if (f->e->stepwise && !f->e->releasing) {
		GROW(f->e->later, f->e->n_later, f->e->later_cap);
		f->e->later[f->e->n_later++] = *block;
		return 0;
	}
	ext2fs_block_alloc_stats2(fs, *block, -1);
	return 0;
}

int edit_release_blocks(struct ext4_edit *e, uint32_t ino, struct ext2_inode_large *in,
                        struct err *err)
{
	struct freeing f = {.e = e};
	errcode_t code;

	if (!ext2fs_inode_has_valid_blocks2(e->fs, (struct ext2_inode *)in))
		return 0;
	code = ext2fs_block_iterate3(e->fs, ino, 0, NULL, free_block, &f);
	if (code)
		return edit_error(e, "freeing its blocks", ino, code, err);
	if (f.bad)
		return err_set(err, ERR_FORMAT,
		               "%s: inode %u has a block that is not in use; run e2fsck -f",
		               e->target->name, ino);
	ext2fs_iblk_sub_blocks(e->fs, (struct ext2_inode *)in, f.blocks);
	return 0;
}

static void doom(struct ext4_edit *e, uint32_t ino, bool dir)
{
	GROW(e->doomed, e->n_doomed, e->doomed_cap);
	e->doomed[e->n_doomed++] = (struct edit_doomed){ino, dir};
}

static int release_inode(struct ext4_edit *e, uint32_t ino, struct ext2_inode_large *in,
                         uint64_t *bytes, struct err *err)
{
	bool dir = edit_type(in) == EXT4_FT_DIR;
	uint64_t before = ext2fs_inode_i_blocks(e->fs, (struct ext2_inode *)in);
	errcode_t code;
	int rc = edit_check_inode(e, ino, in, err);

	if (rc == 0 && e->stepwise && !e->releasing) {
		*bytes += before * 512;
		doom(e, ino, dir);
		return 0;
	}
	if (rc == 0)
		rc = edit_release_blocks(e, ino, in, err);
	if (rc < 0)
		return rc;
	if (ext2fs_file_acl_block(e->fs, (struct ext2_inode *)in)) {
		code = ext2fs_free_ext_attr(e->fs, ino, in);
		if (code)
			return edit_error(e, "freeing its extended attributes", ino, code, err);
	}
	*bytes += before * 512;
	in->i_links_count = 0;
	in->i_dtime = (uint32_t)e->time;
	in->i_size = 0;
	in->i_size_high = 0;
	in->i_blocks = 0;
	in->osd2.linux2.l_i_blocks_hi = 0;
	in->i_flags = 0;
	memset(in->i_block, 0, sizeof in->i_block);
	ext2fs_inode_alloc_stats2(e->fs, ino, -1, dir);
	return edit_put_inode(e, ino, in, err);
}

/* Remove one of the names of an inode that is not a directory. */
static int release_name(struct ext4_edit *e, uint32_t ino, struct ext2_inode_large *in,
                        uint64_t *bytes, struct err *err)
{
	if (in->i_links_count == 1)
		return release_inode(e, ino, in, bytes, err);
	if (e->stepwise && !e->releasing) {
		doom(e, ino, false);
		return 0;
	}
	in->i_links_count--;
	edit_touch(e, in);
	return edit_put_inode(e, ino, in, err);
}

static void forget(struct ext4_edit *e, uint32_t ino)
{
	uint32_t at;

	if (u32_map_get(&e->dir_of, ino, &at))
		e->dirs[at]->gone = true;
}

static int release_children(struct ext4_edit *e, uint32_t ino, uint64_t *bytes, unsigned depth,
                            struct err *err)
{
	_cleanup_(edit_dir_fini) struct edit_dir d = {0};
	int rc = edit_dir_read(e, ino, &d, err);

	for (size_t i = 0; i < d.n && rc == 0; i++)
		rc = edit_release(e, d.v[i].ino, bytes, depth + 1, err);
	return rc;
}

int edit_release(struct ext4_edit *e, uint32_t ino, uint64_t *bytes, unsigned depth,
                 struct err *err)
{
	struct ext2_inode_large in;
	int rc = edit_inode(e, ino, &in, err);

	if (rc < 0)
		return rc;
	if (ino < e->fs->super->s_first_ino || !ext2fs_test_inode_bitmap2(e->fs->inode_map, ino))
		return err_set(
		        err, ERR_FORMAT,
		        "%s: inode %u is a reserved or free inode with a name; run e2fsck -f",
		        e->target->name, ino);
	if (depth > DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "%s: directories nested deeper than %u",
		               e->target->name, DEPTH_MAX);
	if (edit_type(&in) == EXT4_FT_DIR) {
		rc = release_children(e, ino, bytes, depth, err);
		if (rc < 0)
			return rc;
		forget(e, ino);
		return release_inode(e, ino, &in, bytes, err);
	}
	return release_name(e, ino, &in, bytes, err);
}

int edit_release_doomed(struct ext4_edit *e, uint32_t ino, struct err *err)
{
	struct ext2_inode_large in;
	uint64_t ignored = 0;
	int rc = edit_inode(e, ino, &in, err);

	if (rc < 0)
		return rc;
	if (edit_type(&in) == EXT4_FT_DIR)
		return release_inode(e, ino, &in, &ignored, err);
	return release_name(e, ino, &in, &ignored, err);
}

void edit_free_later(struct ext4_edit *e)
{
	for (size_t i = 0; i < e->n_later; i++)
		ext2fs_block_alloc_stats2(e->fs, e->later[i], -1);
	e->n_later = 0;
}

int ext4_edit_sweep(struct ext4_edit *e, uint32_t dir, uint64_t *bytes, struct err *err)
{
	struct edit_dir *d;
	size_t kept = 0;
	int rc = edit_dir_get(e, dir, &d, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < d->n; i++) {
		struct ext4_stat st;

		rc = ext4_edit_stat(e, d->v[i].ino, &st, err);
		if (rc < 0)
			return rc;
		if (st.type != EXT4_FT_DIR && st.links == 1) {
			rc = edit_release(e, d->v[i].ino, bytes, 0, err);
			if (rc < 0)
				return rc;
			free(take(&d->v[i].name));
			d->changed = true;
			continue;
		}
		d->v[kept] = d->v[i];
		if (kept++ != i)
			d->v[i].name = NULL;
	}
	d->n = kept;
	return 0;
}

/* ---- directories that are missing ----------------------------------------- */

static int make_one(struct ext4_edit *e, uint32_t parent, const char *name, uint32_t mode,
                    struct err *err)
{
	_cleanup_(tree_freep) struct tree *t = tree_new(mode, e->time);
	_cleanup_(walk_freep) struct walk *walk = tree_walk(t);

	return ext4_edit_add(e, parent, name, walk, err);
}

int ext4_edit_mkdir(struct ext4_edit *e, const char *path, uint32_t mode, uint32_t *ino,
                    struct err *err)
{
	_free_ char *copy = xstrdup(path);
	struct str rest = str_from(copy);
	uint32_t at = EXT2_ROOT_INO;
	int rc;

	while (rest.p) {
		struct str part = str_cut(&rest, '/');
		_free_ char *name = xstrndup(part.p, part.n);
		_free_ char *so_far = NULL;

		if (!part.n)
			continue;
		so_far = xstrndup(copy, (size_t)(part.p - copy) + part.n);
		rc = ext4_edit_find(e, so_far, true, ino, err);
		if (rc == -ERR_NOENT) {
			rc = make_one(e, at, name, rest.p ? 0755 : mode, err);
			if (rc == 0)
				rc = ext4_edit_find(e, so_far, true, ino, err);
		}
		if (rc < 0)
			return rc;
		at = *ino;
	}
	*ino = at;
	return 0;
}
