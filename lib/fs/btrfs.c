/* SPDX-License-Identifier: MIT */
#include "fs/btrfs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SUPER_AT 65536u
#define SUPER_BYTES 4096u
#define MAGIC_AT 64u
#define MAGIC "_BHRfS_M"
#define FIRST_CHUNKS_AT 811u
#define FIRST_CHUNKS_MAX 2048u
#define SECTOR_MIN 4096u
#define TARGET_MAX 4096u

#define INCOMPAT_METADATA_UUID 0x400u
#define FLAG_METADUMP (UINT64_C(1) << 33 | UINT64_C(1) << 34)

/* Bits of incompat_flags, with the names that Linux has below /sys/fs/btrfs/features. */
static const struct {
	const char *name;
	bool known; /* that this driver can read it */
} incompat[] = {
        {"mixed_backref", true},
        {"default_subvol", true},
        {"mixed_groups", true},
        {"compress_lzo", true},
        {"compress_zstd", true},
        {"big_metadata", true},
        {"extended_iref", true},
        {"raid56", true}, /* its chunks are refused */
        {"skinny_metadata", true},
        {"no_holes", true},
        {"metadata_uuid", true},
        {"raid1c34", true},
        {"zoned", false},
        {"extent_tree_v2", false},
        {"raid_stripe_tree", false},
        {NULL, false},
        {"simple_quota", true},
        {"remap_tree", false},
};

/* ---- what fs.c asks for ----------------------------------------------------- */

static int btrfs_readlink(struct fs *fs, uint64_t node, struct buf *out, struct err *err)
{
	_cleanup_(fs_map_fini) struct fs_map map = FS_MAP_INIT;
	char target[TARGET_MAX];
	int rc = btrfs_map(fs, node, &map, err);

	if (rc == 0 && map.size > sizeof target)
		rc = err_set(err, ERR_FORMAT,
		             "symbolic link of %" PRIu64 " bytes, more than the limit of %u",
		             map.size, TARGET_MAX);
	if (rc == 0)
		rc = fs_map_read(fs, &map, target, (size_t)map.size, 0, err);
	if (rc == 0)
		buf_put(out, target, (size_t)map.size);
	return rc;
}

static int btrfs_space(struct fs *fs, uint64_t *size, uint64_t *unused, struct err *err)
{
	const struct btrfs *b = (const struct btrfs *)fs;

	(void)err;
	*size = b->size;
	*unused = b->size - MIN(b->used, b->size);
	return 0;
}

/* Data has checksums, so no byte of a file can be written where it is. */
static bool btrfs_moved(const struct fs *fs, uint64_t off, uint64_t n)
{
	(void)fs;
	(void)off;
	(void)n;
	return true;
}

static int btrfs_subvol(struct fs *fs, uint64_t id, uint64_t *node, struct err *err)
{
	return btrfs_subvol_node((struct btrfs *)fs, id, 0, node, err);
}

static void btrfs_free(struct fs *fs)
{
	struct btrfs *b = (struct btrfs *)fs;

	for (size_t i = 0; i < BTRFS_NODES_KEPT; i++)
		free(b->kept[i].p);
	free(b->chunks.v);
	free(b->subvol);
	btrfs_unpacker_free(b->unpacker);
	free(b);
}

static const struct fs_ops btrfs_ops = {
        .stat = btrfs_stat,
        .map = btrfs_map,
        .unpack = btrfs_unpack,
        .readlink = btrfs_readlink,
        .list = btrfs_list,
        .space = btrfs_space,
        .subvol = btrfs_subvol,
        .moved = btrfs_moved,
        .free = btrfs_free,
};

/* ---- the superblock --------------------------------------------------------- */

/* The fields of it that are checked together. */
struct super {
	uint64_t at, flags, incompat, log, device_size;
	uint32_t first_chunks;
	unsigned sum;
};

static void decode(const uint8_t *p, struct btrfs *b, struct super *s)
{
	struct bytes in = bytes_over(p, SUPER_BYTES);

	bytes_seek(&in, 48);
	s->at = bytes_le64(&in);
	s->flags = bytes_le64(&in);
	bytes_skip(&in, 8);
	b->generation = b->roots.generation = bytes_le64(&in);
	b->roots.at = bytes_le64(&in);
	b->chunk_root.at = bytes_le64(&in);
	s->log = bytes_le64(&in);
	bytes_skip(&in, 8);
	b->size = bytes_le64(&in);
	b->used = bytes_le64(&in);
	b->root_dir = bytes_le64(&in);
	bytes_skip(&in, 8);
	b->sector = bytes_le32(&in);
	b->node = bytes_le32(&in);
	bytes_skip(&in, 8);
	s->first_chunks = bytes_le32(&in);
	b->chunk_root.generation = bytes_le64(&in);
	bytes_skip(&in, 16);
	s->incompat = bytes_le64(&in);
	s->sum = bytes_le16(&in);
	b->roots.level = bytes_u8(&in);
	b->chunk_root.level = bytes_u8(&in);
	bytes_skip(&in, 1);
	b->device = bytes_le64(&in);
	s->device_size = bytes_le64(&in);
}

static int check_sum(const uint8_t *p, const struct super *s, struct err *err)
{
	if (s->sum >= BTRFS_SUMS)
		return err_set(err, ERR_UNSUPPORTED,
		               "btrfs: unknown checksum type %u (supported: crc32c, xxhash64, "
		               "sha256, blake2b)",
		               s->sum);
	if (!btrfs_sum_ok((enum btrfs_sum)s->sum, p, SUPER_BYTES))
		return err_set(err, ERR_FORMAT, "btrfs: the superblock has a wrong checksum");
	return 0;
}

static int check_features(const struct super *s, struct err *err)
{
	for (unsigned i = 0; i < 64; i++) {
		bool named = i < ARRAY_LEN(incompat) && incompat[i].name;

		if (!(s->incompat & UINT64_C(1) << i) || (named && incompat[i].known))
			continue;
		if (named)
			return err_set(err, ERR_UNSUPPORTED, "btrfs: unsupported feature: %s",
			               incompat[i].name);
		return err_set(err, ERR_UNSUPPORTED, "btrfs: unsupported feature: incompat bit %u",
		               i);
	}
	if (s->flags & FLAG_METADUMP)
		return err_set(err, ERR_UNSUPPORTED,
		               "btrfs: an image of btrfs-image(8), which has no data");
	return 0;
}

static bool is_size(uint32_t n)
{
	return n >= SECTOR_MIN && n <= BTRFS_NODE_MAX && !(n & (n - 1));
}

static int check_super(const struct btrfs *b, const struct super *s, struct err *err)
{
	if (s->at != SUPER_AT || !is_size(b->sector) || !is_size(b->node) || b->node < b->sector ||
	    b->roots.level >= BTRFS_LEVELS || b->chunk_root.level >= BTRFS_LEVELS ||
	    s->first_chunks > FIRST_CHUNKS_MAX)
		return err_set(
		        err, ERR_FORMAT,
		        "btrfs: invalid superblock: of byte %" PRIu64
		        ", sector size %u, node size %u, levels %u and %u, %u bytes of chunks",
		        s->at, b->sector, b->node, b->roots.level, b->chunk_root.level,
		        s->first_chunks);
	if (s->device_size > b->fs.w.size)
		return err_set(err, ERR_FORMAT,
		               "btrfs: %" PRIu64 " bytes do not fit into %" PRIu64 " bytes",
		               s->device_size, b->fs.w.size);
	return 0;
}

static void describe(struct btrfs *b, const struct super *s, const uint8_t *p)
{
	b->fs.type = b->fs.family = "btrfs";
	snprintf(b->fs.label, sizeof b->fs.label, "%.255s", (const char *)p + 299);
	fs_uuid_set(&b->fs, p + 32);
	memcpy(b->uuid, p + (s->incompat & INCOMPAT_METADATA_UUID ? 571 : 32), sizeof b->uuid);
	if (!s->log)
		return;
	b->fs.unclean = true;
	snprintf(b->fs.notice, sizeof b->fs.notice,
	         "not cleanly unmounted, and read without its log tree, which is not replayed");
}

/* Paths begin at the top, as GRUB's do; what is not there, in the default subvolume. */
static int find_roots(struct btrfs *b, struct err *err)
{
	uint64_t id = BTRFS_TREE_TOP;
	int rc = btrfs_subvol_node(b, BTRFS_TREE_TOP, 0, &b->fs.root, err);

	if (rc == 0)
		rc = btrfs_subvol_default(b, &id, err);
	if (rc == 0 && id != BTRFS_TREE_TOP) {
		b->fs.has_root2 = true;
		rc = btrfs_subvol_node(b, id, 0, &b->fs.root2, err);
	}
	return rc;
}

static int open_trees(struct btrfs *b, const struct super *s, const uint8_t *p, struct err *err)
{
	int rc = check_sum(p, s, err);

	if (rc == 0)
		rc = check_features(s, err);
	if (rc == 0)
		rc = check_super(b, s, err);
	if (rc < 0)
		return rc;
	b->sum = (enum btrfs_sum)s->sum;
	describe(b, s, p);
	rc = btrfs_chunks_first(b, p + FIRST_CHUNKS_AT, s->first_chunks, err);
	if (rc == 0)
		rc = btrfs_chunks_read(b, err);
	if (rc == 0)
		rc = find_roots(b, err);
	return rc < 0 ? err_prefix(err, "btrfs") : 0;
}

int btrfs_probe(const struct window *w, struct fs **out, struct err *err)
{
	uint8_t p[SUPER_BYTES];
	struct super s = {0};
	struct btrfs *b;
	int rc;

	if (w->size < SUPER_AT + SUPER_BYTES)
		return 1;
	rc = window_read(w, p, sizeof p, SUPER_AT, err);
	if (rc < 0)
		return rc;
	if (memcmp(p + MAGIC_AT, MAGIC, strlen(MAGIC)) != 0)
		return 1;
	b = xcalloc(1, sizeof *b);
	b->fs.ops = &btrfs_ops;
	b->fs.w = *w;
	decode(p, b, &s);
	rc = open_trees(b, &s, p, err);
	if (rc < 0) {
		btrfs_free(&b->fs);
		return rc;
	}
	*out = &b->fs;
	return 0;
}
