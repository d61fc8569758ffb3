/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fs/xfs.h"

#define MAGIC 0x494eu /* "IN" */
#define CORE_OLD 100u
#define CORE_V3 176u
#define FLAG_REALTIME 1u
#define FLAG2_BIGTIME 0x8u
#define FLAG2_NREXT64 0x10u
#define BIGTIME_BEFORE 2147483648ll /* seconds before 1970 that it counts from */
#define EXTENT 16u
#define LEVELS_MAX 9u
#define TARGET_MAX 1024u

/* ---- inodes ---------------------------------------------------------------- */

/* The position of an inode. Its block must lie within its allocation group. */
static int inode_at(const struct xfs *x, uint64_t number, uint64_t *out, struct err *err)
{
	uint64_t fsblock = number >> x->block_inodes_log, at = 0;
	uint64_t in = number & ((UINT64_C(1) << x->block_inodes_log) - 1);
	int rc = xfs_at(x, fsblock, 1, &at, err);

	*out = at + in * x->inode;
	return rc;
}

static int64_t time_of(uint64_t v, uint64_t flags2)
{
	if (flags2 & FLAG2_BIGTIME)
		return (int64_t)(v / 1000000000u) - BIGTIME_BEFORE;
	return (int32_t)(uint32_t)(v >> 32);
}

/* Position and length of the data fork, and the number of its extents. */
static int decode_fork(const struct xfs *x, struct xfs_inode *in, size_t core, struct err *err)
{
	size_t room = x->inode - core, used = (size_t)in->raw[82] * 8;

	if (used > room)
		return err_set(err, ERR_FORMAT,
		               "data fork of %zu bytes in an inode with room for %zu", used, room);
	in->fork = in->raw + core;
	in->fork_size = used ? used : room;
	return 0;
}

static int decode(const struct xfs *x, struct xfs_inode *in, struct err *err)
{
	struct bytes b = bytes_over(in->raw, x->inode);
	unsigned version, format, flags;
	uint64_t flags2 = 0;
	uint32_t n;

	bytes_skip(&b, 2);
	in->mode = bytes_be16(&b);
	version = bytes_u8(&b);
	format = bytes_u8(&b);
	bytes_skip(&b, 2);
	in->uid = bytes_be32(&b);
	in->gid = bytes_be32(&b);
	in->links = version > 1 ? bytes_be32(&b) : 0;
	bytes_seek(&b, 56);
	in->size = bytes_be64(&b);
	bytes_seek(&b, 76);
	n = bytes_be32(&b);
	bytes_seek(&b, 90);
	flags = bytes_be16(&b);
	if (version < 1 || version > 3 || (version == 3) != x->crc)
		return err_set(err, ERR_FORMAT, "invalid inode version %u", version);
	if (version == 3) {
		bytes_seek(&b, 120);
		flags2 = bytes_be64(&b);
	}
	bytes_seek(&b, 24);
	in->extents = flags2 & FLAG2_NREXT64 ? bytes_be64(&b) : n;
	bytes_seek(&b, 40);
	in->mtime = time_of(bytes_be64(&b), flags2);
	if (in->size > INT64_MAX)
		return err_set(err, ERR_FORMAT, "invalid size %" PRIu64, in->size);
	if (flags & FLAG_REALTIME && fs_kind_of(in->mode) == FS_FILE)
		return err_set(err, ERR_UNSUPPORTED,
		               "its data is on the realtime device, which is not supported");
	in->format = (enum xfs_format)format;
	return decode_fork(x, in, version == 3 ? CORE_V3 : CORE_OLD, err);
}

static int check(const struct xfs *x, const struct xfs_inode *in, struct err *err)
{
	struct bytes b = bytes_over(in->raw, x->inode);

	if (bytes_be16(&b) != MAGIC)
		return err_set(err, ERR_FORMAT, "no inode there (wrong magic)");
	if (!x->crc)
		return 0;
	if (!xfs_checksum_ok(in->raw, x->inode, 100))
		return err_set(err, ERR_FORMAT, "wrong checksum");
	bytes_seek(&b, 152);
	if (bytes_be64(&b) != in->number || memcmp(in->raw + 160, x->uuid, XFS_UUID_SIZE) != 0)
		return err_set(err, ERR_FORMAT, "another inode is stored there");
	return 0;
}

int xfs_inode_read(struct xfs *x, uint64_t number, struct xfs_inode *out, struct err *err)
{
	uint64_t at;
	int rc;

	memset(out, 0, sizeof *out);
	out->number = number;
	rc = inode_at(x, number, &at, err);
	if (rc == 0)
		rc = window_read(&x->fs.w, out->raw, x->inode, at, err);
	if (rc == 0)
		rc = check(x, out, err);
	if (rc == 0)
		rc = decode(x, out, err);
	return rc < 0 ? err_prefix(err, "inode %" PRIu64, number) : 0;
}

/* ---- extents --------------------------------------------------------------- */

static int add_extent(struct xfs *x, struct bytes *b, struct fs_map *map, struct err *err)
{
	uint64_t l0 = bytes_be64(b), l1 = bytes_be64(b), at = FS_HOLE;
	uint64_t first = (l0 & INT64_MAX) >> 9, n = l1 & 0x1fffff;
	uint64_t fsblock = (l0 & 0x1ff) << 43 | l1 >> 21;
	int rc = 0;

	if (first > UINT64_MAX / x->block - n || !n)
		return err_set(err, ERR_FORMAT, "extent of %" PRIu64 " blocks at block %" PRIu64, n,
		               first);
	/* Preallocated blocks that were never written read as zeros. */
	if (!(l0 >> 63))
		rc = xfs_at(x, fsblock, n, &at, err);
	return rc < 0 ? rc
	              : fs_map_add(&x->fs, map,
	                           (struct fs_run){
	                                   .at = first * x->block, .n = n * x->block, .disk = at},
	                           err);
}

static int add_extents(struct xfs *x, const uint8_t *p, uint64_t n, size_t room, struct fs_map *map,
                       struct err *err)
{
	struct bytes b = bytes_over(p, room);
	int rc = 0;

	if (n > room / EXTENT)
		return err_set(err, ERR_FORMAT, "%" PRIu64 " extents do not fit into %zu bytes", n,
		               room);
	for (uint64_t i = 0; i < n && rc == 0; i++)
		rc = add_extent(x, &b, map, err);
	return rc;
}

/* ---- the B+tree of extents --------------------------------------------------- */

struct tree {
	struct xfs *x;
	const struct xfs_inode *in;
	struct fs_map *map;
	uint64_t seen, most; /* blocks of the tree */
	uint8_t *block[LEVELS_MAX];
};

static const struct xfs_label tree_label = {.crc = 64, .uuid = 40, .owner = 56, .block = 24};

/* A block of the tree into t->block[level]: its records. */
static int tree_block(struct tree *t, uint64_t fsblock, unsigned level, uint32_t *n,
                      struct err *err)
{
	const struct xfs *x = t->x;
	uint64_t at;
	struct bytes b;
	uint32_t magic;
	unsigned is;
	int rc = xfs_at(x, fsblock, 1, &at, err);

	if (rc == 0 && ++t->seen > t->most)
		rc = err_set(err, ERR_LIMIT, "its extent B+tree has more than %" PRIu64 " blocks",
		             t->most);
	if (rc < 0)
		return rc;
	if (!t->block[level])
		t->block[level] = xmalloc(x->block);
	rc = window_read(&x->fs.w, t->block[level], x->block, at, err);
	if (rc < 0)
		return rc;
	b = bytes_over(t->block[level], x->block);
	magic = bytes_be32(&b);
	is = bytes_be16(&b);
	*n = bytes_be16(&b);
	if (magic != (x->crc ? 0x424d4133u : 0x424d4150u) || is != level) /* BMA3, BMAP */
		return err_set(err, ERR_FORMAT,
		               "byte %" PRIu64 " has no block of level %u of its extent B+tree", at,
		               level);
	return xfs_label_check(x, &(struct xfs_block){t->block[level], x->block, t->in->number, at},
	                       &tree_label, err);
}

static int tree_below(struct tree *t, const uint8_t *ptrs, uint32_t n, unsigned level,
                      struct err *err);

static int tree_visit(struct tree *t, uint64_t fsblock, unsigned level, struct err *err)
{
	const size_t head = t->x->crc ? 72 : 24;
	const size_t room = t->x->block - head, most = room / 16;
	uint32_t n;
	int rc = tree_block(t, fsblock, level, &n, err);

	if (rc < 0)
		return rc;
	if (n > most)
		return err_set(err, ERR_FORMAT, "%u records in a block with room for %zu", n, most);
	if (level == 0)
		return add_extents(t->x, t->block[0] + head, n, room, t->map, err);
	return tree_below(t, t->block[level] + head + most * 8, n, level, err);
}

static int tree_below(struct tree *t, const uint8_t *ptrs, uint32_t n, unsigned level,
                      struct err *err)
{
	struct bytes b = bytes_over(ptrs, (size_t)n * 8);
	int rc = 0;

	for (uint32_t i = 0; i < n && rc == 0; i++)
		rc = tree_visit(t, bytes_be64(&b), level - 1, err);
	return rc;
}

static int tree_map(struct xfs *x, const struct xfs_inode *in, struct fs_map *map, struct err *err)
{
	struct tree t = {.x = x, .in = in, .map = map, .most = 2u * FS_RUNS_MAX};
	struct bytes b = bytes_over(in->fork, in->fork_size);
	unsigned level = bytes_be16(&b);
	uint32_t n = bytes_be16(&b);
	size_t most = (in->fork_size - 4) / 16;
	int rc;

	if (!bytes_ok(&b) || level < 1 || level > LEVELS_MAX || n > most)
		return err_set(
		        err, ERR_FORMAT,
		        "invalid root of its extent B+tree: level %u, %u records, room for %zu",
		        level, n, most);
	rc = tree_below(&t, in->fork + 4 + most * 8, n, level, err);
	for (size_t i = 0; i < ARRAY_LEN(t.block); i++)
		free(t.block[i]);
	return rc;
}

int xfs_inode_map(struct xfs *x, const struct xfs_inode *in, struct fs_map *out, struct err *err)
{
	int rc;

	out->size = in->size;
	if (in->format == XFS_FORMAT_EXTENTS)
		rc = add_extents(x, in->fork, in->extents, in->fork_size, out, err);
	else if (in->format == XFS_FORMAT_BTREE)
		rc = tree_map(x, in, out, err);
	else
		rc = err_set(err, ERR_FORMAT, "unknown format %u of its data fork", in->format);
	return rc < 0 ? err_prefix(err, "inode %" PRIu64, in->number) : 0;
}

/* ---- links ------------------------------------------------------------------ */

static const struct xfs_label link_label = {.crc = 12, .uuid = 16, .owner = 32, .block = 40};

/* One extent of a target: a head, where there are checksums, then its bytes. */
static int link_extent(struct xfs *x, const struct xfs_inode *in, const struct fs_run *run,
                       struct buf *out, struct err *err)
{
	const size_t head = x->crc ? 56 : 0, left = (size_t)in->size - out->n;
	_free_ uint8_t *p = NULL;
	struct bytes b;
	size_t n;
	int rc;

	if (run->disk == FS_HOLE || run->n > MAX(x->block, 2 * TARGET_MAX))
		return err_set(err, ERR_FORMAT, "symbolic link with an extent of %" PRIu64 " bytes",
		               run->n);
	p = xmalloc((size_t)run->n);
	rc = window_read(&x->fs.w, p, (size_t)run->n, run->disk, err);
	if (rc < 0)
		return rc;
	n = MIN(left, (size_t)run->n - head);
	b = bytes_over(p, (size_t)run->n);
	if (x->crc && (bytes_be32(&b) != 0x58534c4du || bytes_be32(&b) != out->n || /* XSLM */
	               bytes_be32(&b) != n))
		return err_set(err, ERR_FORMAT,
		               "byte %" PRIu64 " has no part of a symbolic link's target",
		               run->disk);
	rc = xfs_label_check(x, &(struct xfs_block){p, (size_t)run->n, in->number, run->disk},
	                     &link_label, err);
	if (rc == 0)
		buf_put(out, p + head, n);
	return rc;
}

static int link_extents(struct xfs *x, const struct xfs_inode *in, struct buf *out, struct err *err)
{
	_cleanup_(fs_map_fini) struct fs_map map = FS_MAP_INIT;
	int rc = xfs_inode_map(x, in, &map, err);

	for (size_t i = 0; i < map.n && out->n < in->size && rc == 0; i++)
		rc = link_extent(x, in, &map.run[i], out, err);
	if (rc == 0 && out->n < in->size)
		rc = err_set(err, ERR_FORMAT,
		             "symbolic link of %" PRIu64 " bytes, of which only %zu are stored",
		             in->size, out->n);
	return rc;
}

int xfs_inode_link(struct xfs *x, const struct xfs_inode *in, struct buf *out, struct err *err)
{
	_cleanup_(buf_fini) struct buf target = BUF_INIT;
	int rc = 0;

	if (in->size > TARGET_MAX)
		rc = err_set(err, ERR_FORMAT,
		             "symbolic link of %" PRIu64 " bytes, more than the limit of %u",
		             in->size, TARGET_MAX);
	else if (in->format != XFS_FORMAT_LOCAL)
		rc = link_extents(x, in, &target, err);
	else if (in->size > in->fork_size)
		rc = err_set(err, ERR_FORMAT,
		             "symbolic link of %" PRIu64 " bytes in an inode with room for %zu",
		             in->size, in->fork_size);
	else
		buf_put(&target, in->fork, (size_t)in->size);
	if (rc < 0)
		return err_prefix(err, "inode %" PRIu64, in->number);
	buf_put(out, target.p ? target.p : "", target.n);
	return 0;
}
