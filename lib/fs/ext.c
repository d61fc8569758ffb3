/* SPDX-License-Identifier: MIT */
/*
 * ext2, ext3 and ext4 through libext2fs. From the bottom up:
 *     ext_io.c    the disk, as libext2fs sees it
 *     inodes      libext2fs reads and checks them
 *     map         a file's extents or block lists as runs
 *     names       directories are read by the run and taken apart here:
 *                 block by block through libext2fs is many times slower
 *     replay      a journal that was not replayed is read as if it were
 *                 (ext_replay.c): what Linux will see, not what GRUB sees
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "fs/driver.h"
#include "fs/ext_io.h"
#include "fs/ext_replay.h"

#define INLINE_MAX 65536
#define LINK_MAX_BYTES 4095
#define DIR_PIECE 65536
#define EXTRA_MTIME 12 /* i_extra_isize that has i_mtime_extra */
#define FLAGS_OPEN (EXT2_FLAG_64BITS | EXT2_FLAG_SKIP_MMP)

struct ext {
	struct fs fs;
	ext2_filsys lib;
	struct ext_replay *replay; /* NULL: no journal to replay */
	struct err fault;          /* of the disk, while libext2fs runs */
};

struct inode {
	struct ext2_inode_large i;
	ext2_ino_t number;
};

static struct ext2_inode *small(struct inode *in)
{
	return (struct ext2_inode *)&in->i;
}

static int lib_error(struct ext *x, errcode_t e, const char *what, uint64_t number, struct err *err)
{
	if (x->fault.code) {
		*err = x->fault;
		x->fault.code = ERR_NONE;
		return err_prefix(err, "%s %" PRIu64, what, number);
	}
	return err_set(err, ERR_FORMAT, "%s %" PRIu64 ": %s", what, number, error_message(e));
}

static int inode_read(struct ext *x, uint64_t node, struct inode *out, struct err *err)
{
	errcode_t e;

	memset(out, 0, sizeof *out);
	out->number = (ext2_ino_t)node;
	e = ext2fs_read_inode_full(x->lib, out->number, small(out), sizeof out->i);
	if (e)
		return lib_error(x, e, "inode", node, err);
	if (out->i.i_flags & EXT4_ENCRYPT_FL)
		return err_set(err, ERR_UNSUPPORTED, "inode %" PRIu64 " is encrypted", node);
	return 0;
}

static int ext_stat(struct fs *fs, uint64_t node, struct fs_stat *out, struct err *err)
{
	struct inode in;
	int rc = inode_read((struct ext *)fs, node, &in, err);

	if (rc < 0)
		return rc;
	*out = (struct fs_stat){
	        .kind = fs_kind_of(in.i.i_mode),
	        .mode = in.i.i_mode & 07777,
	        .uid = in.i.i_uid | (uint32_t)in.i.osd2.linux2.l_i_uid_high << 16,
	        .gid = in.i.i_gid | (uint32_t)in.i.osd2.linux2.l_i_gid_high << 16,
	        .size = EXT2_I_SIZE(&in.i),
	        .links = in.i.i_links_count,
	        .mtime = (int32_t)in.i.i_mtime + (in.i.i_extra_isize >= EXTRA_MTIME
	                                                  ? (int64_t)(in.i.i_mtime_extra & 3) << 32
	                                                  : 0),
	};
	return 0;
}

static int map_extents(struct ext *x, struct inode *in, struct fs_map *map, struct err *err)
{
	uint64_t bs = x->lib->blocksize;
	struct ext2fs_extent ext;
	ext2_extent_handle_t h;
	unsigned steps = 0;
	int rc = 0;
	errcode_t e = ext2fs_extent_open2(x->lib, in->number, small(in), &h);

	if (e)
		return lib_error(x, e, "extents of inode", in->number, err);
	e = ext2fs_extent_get(h, EXT2_EXTENT_ROOT, &ext);
	while (!e && rc == 0) {
		bool leaf = (ext.e_flags & EXT2_EXTENT_FLAGS_LEAF) &&
		            !(ext.e_flags & EXT2_EXTENT_FLAGS_SECOND_VISIT);
		bool hole = ext.e_flags & EXT2_EXTENT_FLAGS_UNINIT;

		/*
		 * Each leaf may cost at most two parent blocks; this limits trees without leaves.
		 */
		if (++steps > 4 * FS_RUNS_MAX)
			rc = err_set(err, ERR_LIMIT, "file in more than %u pieces", FS_RUNS_MAX);
		else if (leaf && (ext.e_lblk > UINT32_MAX || ext.e_pblk > UINT64_MAX / bs))
			rc = err_set(err, ERR_FORMAT, "extent at block %" PRIu64,
			             (uint64_t)ext.e_pblk);
		else if (leaf)
			rc = fs_map_add(&x->fs, map,
			                (struct fs_run){.at = ext.e_lblk * bs,
			                                .n = ext.e_len * bs,
			                                .disk = hole ? FS_HOLE : ext.e_pblk * bs},
			                err);
		if (rc == 0)
			e = ext2fs_extent_get(h, EXT2_EXTENT_NEXT, &ext);
	}
	ext2fs_extent_free(h);
	if (rc < 0)
		return err_prefix(err, "inode %u", in->number);
	if (e != EXT2_ET_EXTENT_NO_NEXT)
		return lib_error(x, e, "extents of inode", in->number, err);
	return 0;
}

struct lister {
	struct ext *x;
	struct fs_map *map;
	struct err *err;
	uint64_t blocks; /* of the file */
	int rc;
};

static int block_add(ext2_filsys lib, blk64_t *block, e2_blkcnt_t at, blk64_t ref, int ref_off,
                     void *arg)
{
	struct lister *l = arg;
	uint64_t bs = lib->blocksize;

	if (at < 0)
		return 0;
	if ((uint64_t)at >= l->blocks)
		return BLOCK_ABORT;
	l->rc = fs_map_add(&l->x->fs, l->map,
	                   (struct fs_run){.at = (uint64_t)at * bs, .n = bs, .disk = *block * bs},
	                   l->err);
	return l->rc < 0 ? BLOCK_ABORT : 0;
}

/* Block lists, direct and indirect, of files without extents. */
static int map_blocks(struct ext *x, struct inode *in, struct fs_map *map, struct err *err)
{
	uint64_t bs = x->lib->blocksize;
	struct lister l = {x, map, err, (map->size + bs - 1) / bs, 0};
	errcode_t e;

	/* libext2fs reads the inode again by itself, and gets the same bytes. */
	e = ext2fs_block_iterate3(x->lib, in->number, BLOCK_FLAG_READ_ONLY | BLOCK_FLAG_DATA_ONLY,
	                          NULL, block_add, &l);
	if (l.rc < 0)
		return err_prefix(err, "inode %u", in->number);
	return e ? lib_error(x, e, "blocks of inode", in->number, err) : 0;
}

/* A small file stored in its inode, the rest in an extended attribute. */
static int map_inline(struct ext *x, struct inode *in, struct fs_map *map, struct err *err)
{
	size_t n = 0;
	errcode_t e = ext2fs_inline_data_size(x->lib, in->number, &n);
	void *p;

	if (e)
		return lib_error(x, e, "inline data of inode", in->number, err);
	if (n > INLINE_MAX || map->size > INLINE_MAX)
		return err_set(err, ERR_FORMAT,
		               "inode %u: %" PRIu64 " bytes of inline data, more than fit",
		               in->number, MAX((uint64_t)n, map->size));
	p = buf_zeros(&map->inside, MAX(n, (size_t)map->size));
	map->has_inside = true;
	e = ext2fs_inline_data_get(x->lib, in->number, small(in), p, &n);
	return e ? lib_error(x, e, "inline data of inode", in->number, err) : 0;
}

static int inode_map(struct ext *x, struct inode *in, struct fs_map *out, struct err *err)
{
	struct fs_map map = FS_MAP_INIT;
	int rc;

	map.size = EXT2_I_SIZE(&in->i);
	if (in->i.i_flags & EXT2_COMPRBLK_FL)
		return err_set(err, ERR_UNSUPPORTED, "inode %u is compressed", in->number);
	if (in->i.i_flags & EXT4_INLINE_DATA_FL)
		rc = map_inline(x, in, &map, err);
	else if (in->i.i_flags & EXT4_EXTENTS_FL)
		rc = map_extents(x, in, &map, err);
	else
		rc = map_blocks(x, in, &map, err);
	if (rc < 0) {
		fs_map_fini(&map);
		return rc;
	}
	*out = map;
	return 0;
}

static int ext_map(struct fs *fs, uint64_t node, struct fs_map *out, struct err *err)
{
	struct inode in;
	int rc = inode_read((struct ext *)fs, node, &in, err);

	return rc < 0 ? rc : inode_map((struct ext *)fs, &in, out, err);
}

static int ext_readlink(struct fs *fs, uint64_t node, struct buf *out, struct err *err)
{
	_cleanup_(fs_map_fini) struct fs_map map = FS_MAP_INIT;
	char target[LINK_MAX_BYTES];
	size_t n;
	struct inode in;
	int rc = inode_read((struct ext *)fs, node, &in, err);

	if (rc < 0)
		return rc;
	if (EXT2_I_SIZE(&in.i) > LINK_MAX_BYTES)
		return err_set(err, ERR_FORMAT, "inode %u: symbolic link of %" PRIu64 " bytes",
		               in.number, (uint64_t)EXT2_I_SIZE(&in.i));
	n = (size_t)EXT2_I_SIZE(&in.i);
	/* A target of less than 60 bytes lies where the block numbers would. */
	if (n < sizeof in.i.i_block && !(in.i.i_flags & (EXT4_INLINE_DATA_FL | EXT4_EXTENTS_FL))) {
		memcpy(target, in.i.i_block, n);
	} else {
		rc = inode_map((struct ext *)fs, &in, &map, err);
		if (rc == 0)
			rc = fs_map_read(fs, &map, target, n, 0, err);
		if (rc < 0)
			return rc;
	}
	buf_put(out, target, n);
	return 0;
}

/* Entry lengths end in 00: the low bits are the high ones of 64 KiB blocks. */
static size_t entry_length(uint16_t v, size_t bs)
{
	if (bs < 65536)
		return v;
	if (v == 0 || v == 65535)
		return bs;
	return (v & 65532u) | (v & 3u) << 16;
}

/* The entries of one block. 0; 1 if fn ended the listing; or -ERR_FORMAT. */
static int block_list(struct ext *x, const uint8_t *p, size_t n, fs_entry_fn *fn, void *arg,
                      struct err *err)
{
	for (size_t at = 0; at < n;) {
		struct bytes b = bytes_over(p + at, n - at);
		uint32_t ino = bytes_le32(&b);
		size_t len = entry_length(bytes_le16(&b), x->lib->blocksize);
		struct fs_entry ent = {.node = ino};

		ent.name.n = bytes_u8(&b);
		(void)bytes_u8(&b);
		ent.name.p = (const char *)bytes_take(&b, ent.name.n);
		if (!bytes_ok(&b) || len < 8 + ent.name.n || len % 4 || len > n - at)
			return err_set(err, ERR_FORMAT, "entry of %zu bytes at %zu of %zu", len, at,
			               n);
		if (ino && ent.name.n && fn(arg, &ent))
			return 1;
		at += len;
	}
	return 0;
}

/* An inline directory has the parent's number, then two areas of entries. */
static int inside_list(struct ext *x, struct fs_map *map, fs_entry_fn *fn, void *arg,
                       struct err *err)
{
	const size_t first = EXT4_MIN_INLINE_DATA_SIZE;
	const uint8_t *p = (const uint8_t *)buf_str(&map->inside).p;
	int rc;

	if (map->inside.n < first)
		return err_set(err, ERR_FORMAT, "%zu bytes of inline data, too few for a directory",
		               map->inside.n);
	rc = block_list(x, p + 4, first - 4, fn, arg, err);
	if (rc == 0 && map->inside.n > first)
		rc = block_list(x, p + first, map->inside.n - first, fn, arg, err);
	return rc;
}

static int pieces_list(struct ext *x, struct fs_map *map, fs_entry_fn *fn, void *arg,
                       struct err *err)
{
	size_t bs = x->lib->blocksize;
	_free_ uint8_t *piece = xmalloc(DIR_PIECE);

	for (uint64_t off = 0; off < map->size; off += DIR_PIECE) {
		size_t n = (size_t)MIN(map->size - off, DIR_PIECE);
		int rc = fs_map_read(&x->fs, map, piece, n, off, err);

		for (size_t at = 0; rc == 0 && at + bs <= n; at += bs)
			rc = block_list(x, piece + at, bs, fn, arg, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int ext_list(struct fs *fs, uint64_t dir, fs_entry_fn *fn, void *arg, struct err *err)
{
	_cleanup_(fs_map_fini) struct fs_map map = FS_MAP_INIT;
	struct ext *x = (struct ext *)fs;
	struct inode in;
	int rc = inode_read(x, dir, &in, err);

	if (rc < 0)
		return rc;
	if (EXT2_I_SIZE(&in.i) > FS_DIR_BYTES_MAX)
		return err_set(err, ERR_LIMIT,
		               "directory of %" PRIu64 " bytes, larger than the limit of %u",
		               (uint64_t)EXT2_I_SIZE(&in.i), FS_DIR_BYTES_MAX);
	rc = inode_map(x, &in, &map, err);
	if (rc < 0)
		return rc;
	rc = map.has_inside ? inside_list(x, &map, fn, arg, err)
	                    : pieces_list(x, &map, fn, arg, err);
	return rc < 0 ? err_prefix(err, "directory inode %u", in.number) : 0;
}

static int ext_space(struct fs *fs, uint64_t *size, uint64_t *unused, struct err *err)
{
	const ext2_filsys lib = ((struct ext *)fs)->lib;

	/* At most the window's size: ext_super_parse() has checked that. */
	*size = ext2fs_blocks_count(lib->super) * lib->blocksize;
	*unused = MIN(ext2fs_free_blocks_count(lib->super), ext2fs_blocks_count(lib->super)) *
	          lib->blocksize;
	return 0;
}

static void ext_free(struct fs *fs)
{
	struct ext *x = (struct ext *)fs;

	if (x->lib)
		ext2fs_free(x->lib);
	ext_replay_free(x->replay);
	free(x);
}

static void ext_freep(struct ext **x)
{
	if (*x)
		ext_free(&(*x)->fs);
}

static bool ext_moved(const struct fs *fs, uint64_t off, uint64_t n)
{
	const struct ext *x = (const struct ext *)fs;

	return x->replay && ext_replay_touches(x->replay, off, n);
}

static const struct fs_ops ext_ops = {
        .stat = ext_stat,
        .map = ext_map,
        .readlink = ext_readlink,
        .list = ext_list,
        .space = ext_space,
        .moved = ext_moved,
        .free = ext_free,
};

static const char *type_of(const struct ext2_super_block *sb)
{
	const uint32_t newer = EXT3_FEATURE_INCOMPAT_EXTENTS | EXT4_FEATURE_INCOMPAT_64BIT |
	                       EXT4_FEATURE_INCOMPAT_FLEX_BG | EXT4_FEATURE_INCOMPAT_INLINE_DATA |
	                       EXT4_FEATURE_INCOMPAT_CSUM_SEED;

	if (sb->s_feature_incompat & newer ||
	    sb->s_feature_ro_compat & EXT4_FEATURE_RO_COMPAT_METADATA_CSUM)
		return "ext4";
	return sb->s_feature_compat & EXT3_FEATURE_COMPAT_HAS_JOURNAL ? "ext3" : "ext2";
}

static void describe(struct ext *x)
{
	struct ext2_super_block *sb = x->lib->super;

	x->fs.root = EXT2_ROOT_INO;
	x->fs.family = "ext2";
	x->fs.type = type_of(sb);
	/* Without a journal this is all that a mount leaves. */
	if (!ext2fs_has_feature_journal(sb) && !(sb->s_state & EXT2_VALID_FS))
		x->fs.unclean = true;
	snprintf(x->fs.label, sizeof x->fs.label, "%.*s", (int)sizeof sb->s_volume_name,
	         (const char *)sb->s_volume_name);
	fs_uuid_set(&x->fs, sb->s_uuid);
}

/* Read through the journal, or report why that is impossible. */
static void replay(struct ext *x, const struct ext_super *super)
{
	const int most = sizeof x->fs.notice / 2;
	struct err why = ERR_INIT;

	x->fs.unclean = true;
	if (ext_replay_open(&x->fs.w, super, &x->replay, &why) < 0)
		snprintf(x->fs.notice, sizeof x->fs.notice,
		         "not cleanly unmounted, and read without its journal, which cannot be "
		         "replayed: %.*s",
		         most, why.text);
	else if (ext_replay_count(x->replay))
		snprintf(x->fs.notice, sizeof x->fs.notice,
		         "not cleanly unmounted, and read as Linux will see it, with its journal "
		         "replayed (transactions: %u)",
		         ext_replay_count(x->replay));
}

static int open_error(struct ext *x, const struct ext_super *super, errcode_t e, struct err *err)
{
	_cleanup_(buf_fini) struct buf names = BUF_INIT;
	struct ext_features f = {0};

	if (e == EXT2_ET_SB_CSUM_INVALID)
		return err_set(err, ERR_FORMAT, "ext: " EXT_SUPER_TORN);
	if (e != EXT2_ET_UNSUPP_FEATURE && e != EXT2_ET_RO_UNSUPP_FEATURE)
		return lib_error(x, e, "ext superblock at", EXT_SUPER_AT, err);
	f.incompat = super->features.incompat & ~EXT2_LIB_FEATURE_INCOMPAT_SUPP;
	if (e == EXT2_ET_RO_UNSUPP_FEATURE)
		f.ro_compat = super->features.ro_compat & ~EXT2_LIB_FEATURE_RO_COMPAT_SUPP;
	ext_features_put(f, &names);
	return err_set(err, ERR_UNSUPPORTED, "ext: unsupported feature: %s", names.p);
}

int ext_probe(const struct window *w, struct fs **out, struct err *err)
{
	_cleanup_(ext_freep) struct ext *x = NULL;
	uint8_t sb[EXT_SUPER_SIZE];
	struct ext_super super;
	errcode_t e;
	int rc;

	if (w->size < EXT_SUPER_AT + EXT_SUPER_SIZE)
		return 1;
	rc = window_read(w, sb, sizeof sb, EXT_SUPER_AT, err);
	if (rc == 0)
		rc = ext_super_parse(sb, w->size, &super, err);
	if (rc != 0)
		return rc;
	initialize_ext2_error_table();
	x = xcalloc(1, sizeof *x);
	x->fs.ops = &ext_ops;
	x->fs.w = *w;
	if (super.unreplayed)
		replay(x, &super);
	e = ext_io_open(&x->fs.w, &x->fault, FLAGS_OPEN, &x->lib);
	if (e) {
		x->lib = NULL;
		return open_error(x, &super, e, err);
	}
	if (ext2fs_blocks_count(x->lib->super) > w->size / x->lib->blocksize)
		return err_set(err, ERR_FORMAT,
		               "ext: with its journal replayed it is larger than its partition");
	describe(x);
	*out = &take(&x)->fs;
	return 0;
}
