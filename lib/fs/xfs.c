/* SPDX-License-Identifier: MIT */
#include "fs/xfs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"

#define SUPER_BYTES 264
#define MAGIC 0x58465342u /* "XFSB" */
#define SECTOR_MIN 512u
#define SECTOR_MAX 32768u
#define DIR_BLOCK_MAX 65536u
#define CRC_AT 224

/* sb_versionnum */
#define VERSION_MASK 15u
#define V4_DIRECTORIES 0x2000u
#define V4_NOCASE 0x4000u
#define V4_MORE 0x8000u
/* sb_features2 */
#define MORE_FTYPE 0x200u
/* sb_features_incompat */
#define INCOMPAT_FTYPE 0x1u
#define INCOMPAT_META_UUID 0x4u
#define INCOMPAT_NEEDSREPAIR 0x10u

/* Bits of sb_features_incompat, with mkfs.xfs's names; known: this driver can read it. */
static const struct {
	const char *name;
	bool known;
} incompat[] = {
        {"ftype", true},       {"sparse", true},  {"meta_uuid", true},  {"bigtime", true},
        {"needsrepair", true}, {"nrext64", true}, {"exchange", true},   {"parent", true},
        {"metadir", false},    {"zoned", false},  {"zone_gaps", false},
};

bool xfs_checksum_ok(const void *p, size_t n, size_t at)
{
	static const uint8_t zero[4];
	const uint8_t *b = p;
	uint32_t crc = crc32c(UINT32_MAX, b, at);

	crc = crc32c(crc, zero, sizeof zero);
	crc = crc32c(crc, b + at + sizeof zero, n - at - sizeof zero);
	return ~crc == get_le32(b + at);
}

int xfs_label_check(const struct xfs *x, const struct xfs_block *block, const struct xfs_label *l,
                    struct err *err)
{
	const uint8_t *b = block->p;
	uint64_t disk = block->disk;

	if (!x->crc)
		return 0;
	if (!xfs_checksum_ok(b, block->n, l->crc))
		return err_set(err, ERR_FORMAT, "metadata at byte %" PRIu64 " has a wrong checksum",
		               disk);
	if (memcmp(b + l->uuid, x->uuid, XFS_UUID_SIZE) != 0)
		return err_set(err, ERR_FORMAT,
		               "metadata at byte %" PRIu64 " has the UUID of another file system",
		               disk);
	if (get_be64(b + l->owner) != block->owner ||
	    get_be64(b + l->block) != disk / XFS_LOG_BLOCK)
		return err_set(err, ERR_FORMAT,
		               "metadata at byte %" PRIu64 " says that it is inode %" PRIu64
		               "'s at byte %" PRIu64,
		               disk, get_be64(b + l->owner),
		               get_be64(b + l->block) * XFS_LOG_BLOCK);
	return 0;
}

int xfs_at(const struct xfs *x, uint64_t fsblock, uint64_t n, uint64_t *out, struct err *err)
{
	uint64_t group = fsblock >> x->group_shift;
	uint64_t in = fsblock & ((UINT64_C(1) << x->group_shift) - 1);
	uint64_t at = group * x->group_blocks + in;

	if (group >= x->groups || in >= x->group_blocks || n > x->group_blocks - in ||
	    at >= x->blocks || n > x->blocks - at)
		return err_set(err, ERR_FORMAT,
		               "extent of %" PRIu64 " blocks at block %" PRIu64 " of group %" PRIu64
		               " is outside the file system: %u groups of %u blocks, %" PRIu64
		               " blocks in all",
		               n, in, group, x->groups, x->group_blocks, x->blocks);
	*out = at * x->block;
	return 0;
}

/* ---- what fs.c asks for ---------------------------------------------------- */

static int xfs_stat(struct fs *fs, uint64_t node, struct fs_stat *out, struct err *err)
{
	struct xfs_inode in;
	int rc = xfs_inode_read((struct xfs *)fs, node, &in, err);

	if (rc < 0)
		return rc;
	*out = (struct fs_stat){
	        .kind = fs_kind_of(in.mode),
	        .mode = in.mode & 07777,
	        .uid = in.uid,
	        .gid = in.gid,
	        .size = in.size,
	        .mtime = in.mtime,
	        .links = in.links,
	};
	return 0;
}

static int xfs_map(struct fs *fs, uint64_t node, struct fs_map *out, struct err *err)
{
	struct fs_map map = FS_MAP_INIT;
	struct xfs_inode in;
	int rc = xfs_inode_read((struct xfs *)fs, node, &in, err);

	if (rc == 0 && in.format == XFS_FORMAT_LOCAL)
		rc = err_set(err, ERR_FORMAT,
		             "inode %" PRIu64 ": a regular file has its data in the inode", node);
	if (rc == 0)
		rc = xfs_inode_map((struct xfs *)fs, &in, &map, err);
	if (rc < 0) {
		fs_map_fini(&map);
		return rc;
	}
	*out = map;
	return 0;
}

static int xfs_readlink(struct fs *fs, uint64_t node, struct buf *out, struct err *err)
{
	struct xfs_inode in;
	int rc = xfs_inode_read((struct xfs *)fs, node, &in, err);

	return rc < 0 ? rc : xfs_inode_link((struct xfs *)fs, &in, out, err);
}

static int xfs_list(struct fs *fs, uint64_t dir, fs_entry_fn *fn, void *arg, struct err *err)
{
	struct xfs_inode in;
	int rc = xfs_inode_read((struct xfs *)fs, dir, &in, err);

	if (rc == 0)
		rc = xfs_dir_list((struct xfs *)fs, &in, fn, arg, err);
	return rc < 0 ? err_prefix(err, "directory inode %" PRIu64, dir) : 0;
}

static int xfs_space(struct fs *fs, uint64_t *size, uint64_t *unused, struct err *err)
{
	const struct xfs *x = (const struct xfs *)fs;
	uint64_t log = x->log_start ? x->log_blocks : 0;

	/* At most the window's size: read_super() has checked that. */
	*size = (x->blocks - MIN(log, x->blocks)) * x->block;
	*unused = MIN(x->free_blocks * x->block, *size);
	return 0;
}

static void xfs_free(struct fs *fs)
{
	free(fs);
}

static const struct fs_ops xfs_ops = {
        .stat = xfs_stat,
        .map = xfs_map,
        .readlink = xfs_readlink,
        .list = xfs_list,
        .space = xfs_space,
        .free = xfs_free,
};

/* ---- the superblock --------------------------------------------------------- */

/* The fields of it that are checked together. */
struct super {
	uint32_t block, sector, inode;
	uint64_t blocks, root, free_blocks;
	uint32_t group_blocks, groups, block_inodes;
	unsigned block_log, sector_log, inode_log, block_inodes_log, group_log, dir_log;
	unsigned version, version_bits;
	uint32_t more, bits;
	bool in_progress;
};

static void decode(const uint8_t *p, struct xfs *x, struct super *s)
{
	struct bytes b = bytes_over(p, SUPER_BYTES);

	bytes_skip(&b, 4);
	s->block = bytes_be32(&b);
	s->blocks = get_be64(p + 8);
	x->log_start = get_be64(p + 48);
	s->root = get_be64(p + 56);
	bytes_seek(&b, 84);
	s->group_blocks = bytes_be32(&b);
	s->groups = bytes_be32(&b);
	bytes_skip(&b, 4);
	x->log_blocks = bytes_be32(&b);
	s->version_bits = bytes_be16(&b);
	s->version = s->version_bits & VERSION_MASK;
	s->sector = bytes_be16(&b);
	s->inode = bytes_be16(&b);
	s->block_inodes = bytes_be16(&b);
	bytes_skip(&b, 12);
	s->block_log = bytes_u8(&b);
	s->sector_log = bytes_u8(&b);
	s->inode_log = bytes_u8(&b);
	s->block_inodes_log = bytes_u8(&b);
	s->group_log = bytes_u8(&b);
	bytes_skip(&b, 1);
	s->in_progress = bytes_u8(&b);
	s->free_blocks = get_be64(p + 144);
	s->dir_log = p[192];
	bytes_seek(&b, 200);
	s->more = bytes_be32(&b);
	bytes_seek(&b, 216);
	s->bits = bytes_be32(&b);
}

static bool is_power(uint32_t v, unsigned log)
{
	return log < 32 && v == 1u << log;
}

static bool sizes_ok(const struct super *s)
{
	return is_power(s->block, s->block_log) && is_power(s->sector, s->sector_log) &&
	       is_power(s->inode, s->inode_log) && s->block >= SECTOR_MIN &&
	       s->block <= XFS_BLOCK_MAX && s->sector >= SECTOR_MIN && s->sector <= SECTOR_MAX &&
	       s->inode >= 256 && s->inode <= XFS_INODE_MAX && s->inode <= s->block &&
	       is_power(s->block_inodes, s->block_inodes_log) &&
	       s->block_inodes == s->block / s->inode && s->dir_log <= 16 &&
	       (uint64_t)s->block << s->dir_log <= DIR_BLOCK_MAX;
}

static bool groups_ok(const struct super *s)
{
	return s->group_log < 32 && s->group_blocks && s->groups &&
	       s->group_blocks <= UINT64_C(1) << s->group_log &&
	       s->group_blocks > (s->group_log ? UINT64_C(1) << (s->group_log - 1) : 0) &&
	       s->blocks <= (uint64_t)s->groups * s->group_blocks &&
	       s->blocks > (uint64_t)(s->groups - 1) * s->group_blocks;
}

static int check_features(const struct super *s, struct err *err)
{
	if (s->version != 4 && s->version != 5)
		return err_set(err, ERR_UNSUPPORTED,
		               "XFS: unsupported version %u (supported: 4 and 5)", s->version);
	if (!(s->version_bits & V4_DIRECTORIES))
		return err_set(err, ERR_UNSUPPORTED, "XFS: unsupported directory version 1");
	if (s->version == 4)
		return 0;
	for (unsigned i = 0; i < 32; i++) {
		if (!(s->bits & 1u << i) || (i < ARRAY_LEN(incompat) && incompat[i].known))
			continue;
		if (i < ARRAY_LEN(incompat))
			return err_set(err, ERR_UNSUPPORTED, "XFS: unsupported feature: %s",
			               incompat[i].name);
		return err_set(err, ERR_UNSUPPORTED, "XFS: unsupported feature: incompat bit %u",
		               i);
	}
	if (s->bits & INCOMPAT_NEEDSREPAIR)
		return err_set(err, ERR_BUSY, "XFS: marked as needing repair; run xfs_repair");
	return 0;
}

static int check_super(const struct super *s, const struct window *w, struct err *err)
{
	if (s->in_progress)
		return err_set(err, ERR_FORMAT,
		               "XFS: mkfs.xfs did not complete (sb_inprogress is set)");
	if (!sizes_ok(s))
		return err_set(
		        err, ERR_FORMAT,
		        "XFS: invalid superblock: block size %u, sector size %u, inode size %u, "
		        "directory block 2^%u blocks",
		        s->block, s->sector, s->inode, s->dir_log);
	if (!groups_ok(s))
		return err_set(
		        err, ERR_FORMAT,
		        "XFS: invalid superblock: %u groups of %u blocks (at most 2^%u) do not "
		        "give %" PRIu64 " blocks",
		        s->groups, s->group_blocks, s->group_log, s->blocks);
	if (s->blocks > w->size / s->block)
		return err_set(err, ERR_FORMAT,
		               "XFS: %" PRIu64 " blocks of %u bytes do not fit into %" PRIu64
		               " bytes",
		               s->blocks, s->block, w->size);
	return check_features(s, err);
}

static void describe(struct xfs *x, const uint8_t *p)
{
	x->fs.type = x->fs.family = "xfs";
	snprintf(x->fs.label, sizeof x->fs.label, "%.12s", (const char *)p + 108);
	fs_uuid_set(&x->fs, p + 32);
}

static void take_super(struct xfs *x, const struct super *s, const uint8_t *p)
{
	bool meta = s->version == 5 && s->bits & INCOMPAT_META_UUID;

	x->block = s->block;
	x->inode = s->inode;
	x->dir_block = s->block << s->dir_log;
	x->blocks = s->blocks;
	x->free_blocks = MIN(s->free_blocks, s->blocks);
	x->group_blocks = s->group_blocks;
	x->groups = s->groups;
	x->group_shift = s->group_log;
	x->block_inodes_log = s->block_inodes_log;
	x->crc = s->version == 5;
	x->ftype = x->crc ? s->bits & INCOMPAT_FTYPE
	                  : s->version_bits & V4_MORE && s->more & MORE_FTYPE;
	memcpy(x->uuid, p + (meta ? 248 : 32), XFS_UUID_SIZE);
	x->fs.root = s->root;
	x->fs.fold = s->version_bits & V4_NOCASE;
	describe(x, p);
}

/* The log is not replayed, so the user gets a notice. */
static void look_at_log(struct xfs *x)
{
	struct err why = ERR_INIT;
	bool dirty = false;
	int rc = xfs_log_dirty(x, &dirty, &why);

	if (rc == 0 && !dirty)
		return;
	x->fs.unclean = true;
	snprintf(x->fs.notice, sizeof x->fs.notice,
	         "not cleanly unmounted, and read without its log, which is not replayed%s%.*s",
	         rc < 0 ? ": " : "", rc < 0 ? 200 : 0, why.text);
}

int xfs_probe(const struct window *w, struct fs **out, struct err *err)
{
	_free_ uint8_t *sector = NULL;
	uint8_t p[SUPER_BYTES];
	_free_ struct xfs *x = NULL;
	struct super s = {0};
	struct bytes b;
	int rc;

	if (w->size < SECTOR_MIN)
		return 1;
	rc = window_read(w, p, sizeof p, 0, err);
	if (rc < 0)
		return rc;
	b = bytes_over(p, sizeof p);
	if (bytes_be32(&b) != MAGIC)
		return 1;
	x = xcalloc(1, sizeof *x);
	x->fs.ops = &xfs_ops;
	x->fs.w = *w;
	decode(p, x, &s);
	rc = check_super(&s, w, err);
	if (rc < 0)
		return rc;
	sector = xmalloc(s.sector);
	rc = window_read(w, sector, s.sector, 0, err);
	if (rc == 0 && s.version == 5 && !xfs_checksum_ok(sector, s.sector, CRC_AT))
		rc = err_set(err, ERR_FORMAT, "XFS: the superblock has a wrong checksum");
	if (rc < 0)
		return rc;
	take_super(x, &s, p);
	look_at_log(x);
	*out = &take(&x)->fs;
	return 0;
}
