/* SPDX-License-Identifier: MIT */
/*
 *     INODE_ITEM     generation, last change, size, bytes, group, links (32 bits), uid, gid, mode,
 *                    device, flags, sequence; 32 bytes; atime, ctime, mtime, … (64 and 32 bits)
 *     DIR_INDEX      key, last change, 2 × 16 bits length of data and name, type, name
 *     EXTENT_DATA    generation, bytes unpacked, packing, encryption, 16 bits other, kind
 *                    inline: the bytes    others: address, bytes on disk, offset, bytes
 */
#include <inttypes.h>

#include "base/mem.h"
#include "fs/btrfs.h"

#define EXTENT_HEAD 21u

enum extent_kind {
	EXTENT_INLINE,
	EXTENT_REGULAR,
	EXTENT_RESERVED,
	EXTENT_KINDS,
};

/* Seek a key in the subvolume of a node; its offset is 0. */
static int seek(struct btrfs_place *p, uint64_t node, unsigned type, struct btrfs_subvol *s,
                struct btrfs_key *key, struct err *err)
{
	int rc;

	*key = (struct btrfs_key){.type = type};
	rc = btrfs_node_subvol(p->b, node, s, &key->object, err);
	if (rc < 0)
		return rc;
	return s->stub ? 1 : btrfs_place_seek(p, &s->root, key, err);
}

static bool is_of(const struct btrfs_place *p, const struct btrfs_key *key)
{
	return p->key.object == key->object && p->key.type == key->type;
}

int btrfs_stat(struct fs *fs, uint64_t node, struct fs_stat *out, struct err *err)
{
	_cleanup_(btrfs_place_fini) struct btrfs_place at = {.b = (struct btrfs *)fs};
	struct btrfs_subvol s;
	struct btrfs_key key;
	struct fs_stat st = {.kind = FS_DIR, .mode = 0755};
	uint32_t mode;
	int rc = seek(&at, node, BTRFS_INODE_ITEM, &s, &key, err);

	if (rc == 1 && s.stub) {
		*out = st;
		return 0;
	}
	if (rc < 0)
		return rc;
	if (rc == 1 || !is_of(&at, &key))
		return err_set(err, ERR_FORMAT, "subvolume %" PRIu64 " has no inode %" PRIu64, s.id,
		               key.object);
	bytes_seek(&at.item, 16);
	st.size = bytes_le64(&at.item);
	bytes_seek(&at.item, 40);
	st.links = bytes_le32(&at.item);
	st.uid = bytes_le32(&at.item);
	st.gid = bytes_le32(&at.item);
	mode = bytes_le32(&at.item);
	bytes_seek(&at.item, 136);
	st.mtime = (int64_t)bytes_le64(&at.item);
	if (!bytes_ok(&at.item) || st.size > INT64_MAX)
		return err_set(err, ERR_FORMAT,
		               "inode %" PRIu64 " has %zu bytes, and a size of %" PRIu64,
		               key.object, at.item.n, st.size);
	st.kind = fs_kind_of((uint16_t)mode);
	st.mode = mode & 07777;
	*out = st;
	return 0;
}

/* ---- directories ------------------------------------------------------------ */

int btrfs_dirent_next(struct bytes *item, struct btrfs_dirent *out, struct err *err)
{
	size_t data;

	out->key.object = bytes_le64(item);
	out->key.type = bytes_u8(item);
	out->key.offset = bytes_le64(item);
	bytes_skip(item, 8);
	data = bytes_le16(item);
	out->name.n = bytes_le16(item);
	bytes_skip(item, 1);
	out->name.p = (const char *)bytes_take(item, out->name.n);
	bytes_skip(item, data);
	if (!bytes_ok(item) || !out->name.n)
		return err_set(err, ERR_FORMAT, "entry of %zu bytes of a directory is truncated",
		               item->n);
	return 0;
}

/* 0; 1: fn ended the listing. */
static int list_item(struct btrfs *b, const struct btrfs_subvol *s, uint64_t dir,
                     struct bytes *item, struct fs_entry *ent, struct err *err)
{
	struct btrfs_dirent is;
	int rc = btrfs_dirent_next(item, &is, err);

	if (rc < 0)
		return rc;
	ent->name = is.name;
	if (is.key.type == BTRFS_ROOT_ITEM)
		return btrfs_subvol_node(b, is.key.object, s->id, &ent->node, err);
	if (is.key.type != BTRFS_INODE_ITEM)
		return err_set(err, ERR_FORMAT,
		               "\"%.*s\" is neither a file nor a subvolume: type %u",
		               STR_ARG(is.name), is.key.type);
	return btrfs_inode_node(dir, is.key.object, &ent->node, err);
}

int btrfs_list(struct fs *fs, uint64_t dir, fs_entry_fn *fn, void *arg, struct err *err)
{
	struct btrfs *b = (struct btrfs *)fs;
	_cleanup_(btrfs_place_fini) struct btrfs_place at = {.b = b};
	struct btrfs_subvol s;
	struct btrfs_key key;
	int rc = seek(&at, dir, BTRFS_DIR_INDEX, &s, &key, err);

	while (rc == 0 && is_of(&at, &key)) {
		struct fs_entry ent = {.node = 0};

		rc = list_item(b, &s, dir, &at.item, &ent, err);
		if (rc == 0 && fn(arg, &ent))
			return 0;
		if (rc == 0)
			rc = btrfs_place_next(&at, err);
	}
	return rc < 0 ? err_prefix(err, "directory inode %" PRIu64, key.object) : 0;
}

/* ---- extents ---------------------------------------------------------------- */

struct extent {
	uint64_t at; /* in the file */
	uint64_t unpacked;
	enum btrfs_packing packing;
	enum extent_kind kind;
	struct bytes item;
};

static int check_packing(const struct extent *e, unsigned encryption, unsigned other,
                         struct err *err)
{
	if (!bytes_ok(&e->item) || e->kind >= EXTENT_KINDS)
		return err_set(err, ERR_FORMAT, "extent of %zu bytes and unknown kind %u",
		               e->item.n, e->kind);
	if (encryption || other)
		return err_set(err, ERR_UNSUPPORTED,
		               "extent with encryption %u, encoding %u is not supported",
		               encryption, other);
	if (e->packing >= BTRFS_PACKINGS)
		return err_set(err, ERR_UNSUPPORTED, "extent with the unknown compression %u",
		               e->packing);
	return 0;
}

/* How an extent of packed bytes is packed; skip: unpacked ones before the run. */
static int pack_set(struct fs_run *run, const struct extent *e, uint64_t packed, uint64_t skip,
                    struct err *err)
{
	if (e->packing == BTRFS_PLAIN)
		return 0;
	if (packed > BTRFS_PACKED_MAX || e->unpacked > BTRFS_PACKED_MAX || skip > e->unpacked ||
	    run->n > e->unpacked - skip)
		return err_set(err, ERR_FORMAT,
		               "compressed extent of %" PRIu64 " bytes, %" PRIu64
		               " unpacked (limit %u), of which %" PRIu64 " at %" PRIu64 " are used",
		               packed, e->unpacked, BTRFS_PACKED_MAX, run->n, skip);
	run->pack = (struct fs_pack){.how = e->packing,
	                             .packed = (uint32_t)packed,
	                             .unpacked = (uint32_t)e->unpacked,
	                             .skip = (uint32_t)skip};
	return 0;
}

/* In the node itself; only a file's first bytes are. */
static int add_inline(struct btrfs_place *p, const struct extent *e, struct fs_map *map,
                      struct err *err)
{
	const struct btrfs_node *leaf = &p->level[0].node;
	uint64_t n = bytes_left(&e->item);
	struct fs_run run = {.n = e->packing == BTRFS_PLAIN ? n : e->unpacked,
	                     .disk = leaf->disk + (uint64_t)(e->item.p + e->item.pos - leaf->p)};
	int rc;

	if (e->at)
		return err_set(err, ERR_FORMAT, "inline extent at byte %" PRIu64, e->at);
	rc = pack_set(&run, e, n, 0, err);
	return rc < 0 ? rc : fs_map_add(&p->b->fs, map, run, err);
}

static int add_regular(struct btrfs *b, struct extent *e, struct fs_map *map, struct err *err)
{
	uint64_t at = bytes_le64(&e->item), stored = bytes_le64(&e->item);
	uint64_t skip = bytes_le64(&e->item), n = bytes_le64(&e->item);
	uint64_t whole = e->packing == BTRFS_PLAIN ? stored : e->unpacked;
	struct fs_run run = {.at = e->at, .n = n};
	int rc;

	if (!bytes_ok(&e->item) || !n || (e->at | n | skip) % b->sector)
		return err_set(err, ERR_FORMAT,
		               "extent of %" PRIu64 " bytes, %" PRIu64 " at %" PRIu64
		               " of the file",
		               stored, n, e->at);
	/* A hole, or reserved and never written, which reads as zeros. */
	if (!at || e->kind == EXTENT_RESERVED)
		return 0;
	if (skip > whole || n > whole - skip)
		return err_set(err, ERR_FORMAT,
		               "extent of %" PRIu64 " bytes, of which %" PRIu64 " at %" PRIu64
		               " are used",
		               whole, n, skip);
	rc = btrfs_at(b, at, stored, 0, &run.disk, err);
	if (rc == 0 && e->packing == BTRFS_PLAIN)
		run.disk += skip;
	if (rc == 0)
		rc = pack_set(&run, e, stored, skip, err);
	return rc < 0 ? rc : fs_map_add(&b->fs, map, run, err);
}

static int add_extent(struct btrfs_place *p, struct fs_map *map, struct err *err)
{
	struct extent e = {.at = p->key.offset, .item = p->item};
	unsigned encryption, other;
	int rc;

	bytes_skip(&e.item, 8);
	e.unpacked = bytes_le64(&e.item);
	e.packing = (enum btrfs_packing)bytes_u8(&e.item);
	encryption = bytes_u8(&e.item);
	other = bytes_le16(&e.item);
	e.kind = (enum extent_kind)bytes_u8(&e.item);
	rc = check_packing(&e, encryption, other, err);
	if (rc < 0)
		return rc;
	return e.kind == EXTENT_INLINE ? add_inline(p, &e, map, err)
	                               : add_regular(p->b, &e, map, err);
}

int btrfs_map(struct fs *fs, uint64_t node, struct fs_map *out, struct err *err)
{
	_cleanup_(btrfs_place_fini) struct btrfs_place at = {.b = (struct btrfs *)fs};
	_cleanup_(fs_map_fini) struct fs_map map = FS_MAP_INIT;
	struct btrfs_subvol s;
	struct btrfs_key key;
	struct fs_stat st;
	int rc = btrfs_stat(fs, node, &st, err);

	if (rc < 0)
		return rc;
	map.size = st.size;
	rc = seek(&at, node, BTRFS_EXTENT_DATA, &s, &key, err);
	while (rc == 0 && is_of(&at, &key)) {
		rc = add_extent(&at, &map, err);
		if (rc == 0)
			rc = btrfs_place_next(&at, err);
	}
	if (rc < 0)
		return err_prefix(err, "inode %" PRIu64, key.object);
	*out = map;
	map = (struct fs_map)FS_MAP_INIT;
	return 0;
}
