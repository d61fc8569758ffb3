/* SPDX-License-Identifier: MIT */
/*
 * Directories. What finds a name by its hash is not read: names are in the data
 * blocks, which lie below 32 GiB of the directory's own offsets.
 *
 *     in the inode  le: count, wide count, parent; { length, 16 bits, name, type?, inode }
 *     a data block  head, { inode 64, length, name, type?, to 8 bytes, 16 bits tag }
 *                         { 0xffff, 16 bits length }                           unused
 *     a lone block  the same, and at its end the hashes: { 64 bits } n, n, stale
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fs/xfs.h"

#define UNUSED 0xffffu
#define HEAD_OLD 16u
#define HEAD 64u

static const struct xfs_label block_label = {.crc = 4, .uuid = 24, .owner = 40, .block = 8};

static uint64_t number_get(struct bytes *b, bool wide)
{
	return wide ? bytes_be64(b) : bytes_be32(b);
}

/* 0; 1 if fn ended the listing; or -ERR_FORMAT. */
static int list_inside(const struct xfs *x, const struct xfs_inode *in, fs_entry_fn *fn, void *arg,
                       struct err *err)
{
	struct bytes b = bytes_over(in->fork, MIN(in->size, in->fork_size));
	unsigned n = bytes_u8(&b);
	bool wide = bytes_u8(&b);
	struct fs_entry up = {.name = STR(".."), .node = number_get(&b, wide)};
	struct fs_entry here = {.name = STR("."), .node = in->number};

	if (bytes_ok(&b) && (fn(arg, &here) || fn(arg, &up)))
		return 1;
	for (unsigned i = 0; i < n; i++) {
		struct fs_entry ent = {.node = 0};

		ent.name.n = bytes_u8(&b);
		bytes_skip(&b, 2);
		ent.name.p = (const char *)bytes_take(&b, ent.name.n);
		bytes_skip(&b, x->ftype);
		ent.node = number_get(&b, wide);
		if (!bytes_ok(&b) || !ent.name.n)
			return err_set(err, ERR_FORMAT, "entry %u of %u in the inode is truncated",
			               i, n);
		if (fn(arg, &ent))
			return 1;
	}
	return 0;
}

/* The bytes of a data block that entries are in: from *first to *end. */
static int block_bounds(const struct xfs *x, const uint8_t *p, size_t *first, size_t *end,
                        struct err *err)
{
	struct bytes b = bytes_over(p, x->dir_block);
	uint32_t magic = bytes_be32(&b), n;
	bool lone = magic == (x->crc ? 0x58444233u : 0x58443242u); /* XDB3, XD2B */

	*first = x->crc ? HEAD : HEAD_OLD;
	*end = x->dir_block;
	if (!lone && magic != (x->crc ? 0x58444433u : 0x58443244u)) /* XDD3, XD2D */
		return err_set(err, ERR_FORMAT,
		               "a directory block has the unknown magic %08" PRIx32, magic);
	if (!lone)
		return 0;
	bytes_seek(&b, x->dir_block - 8);
	n = bytes_be32(&b);
	if (n > (x->dir_block - *first - 8) / 8)
		return err_set(err, ERR_FORMAT, "%" PRIu32 " hashes in a block of %u bytes", n,
		               x->dir_block);
	*end -= 8 + (size_t)n * 8;
	return 0;
}

static int list_block(const struct xfs *x, const uint8_t *p, fs_entry_fn *fn, void *arg,
                      struct err *err)
{
	size_t at, end;
	int rc = block_bounds(x, p, &at, &end, err);

	while (rc == 0 && at < end) {
		struct bytes b = bytes_over(p + at, end - at);
		struct fs_entry ent = {.node = 0};
		bool unused = bytes_be16(&b) == UNUSED;
		size_t n = unused ? bytes_be16(&b) : 0;

		if (!unused) {
			bytes_seek(&b, 0);
			ent.node = bytes_be64(&b);
			ent.name.n = bytes_u8(&b);
			ent.name.p = (const char *)bytes_take(&b, ent.name.n);
			n = (8 + 1 + ent.name.n + x->ftype + 2 + 7) / 8 * 8;
		}
		if (!bytes_ok(&b) || n < 8 || n % 8 || n > end - at || (!unused && !ent.name.n))
			return err_set(err, ERR_FORMAT,
			               "malformed entry of %zu bytes at byte %zu of %zu", n, at,
			               end);
		if (!unused && fn(arg, &ent))
			return 1;
		at += n;
	}
	return rc;
}

static int list_blocks(struct xfs *x, const struct xfs_inode *in, fs_entry_fn *fn, void *arg,
                       struct err *err)
{
	_cleanup_(fs_map_fini) struct fs_map map = FS_MAP_INIT;
	_free_ uint8_t *p = xmalloc(x->dir_block);
	int rc = xfs_inode_map(x, in, &map, err);

	for (uint64_t off = 0; off + x->dir_block <= in->size && rc == 0; off += x->dir_block) {
		const struct fs_run *first;

		if (fs_map_hole(&map, off) >= x->dir_block)
			continue;
		/* The run in which the block begins; its header has its own position. */
		first = &map.run[map.hint];
		rc = fs_map_read(&x->fs, &map, p, x->dir_block, off, err);
		if (rc == 0)
			rc = xfs_label_check(x,
			                     &(struct xfs_block){p, x->dir_block, in->number,
			                                         first->disk + (off - first->at)},
			                     &block_label, err);
		if (rc == 0)
			rc = list_block(x, p, fn, arg, err);
	}
	return rc;
}

int xfs_dir_list(struct xfs *x, const struct xfs_inode *in, fs_entry_fn *fn, void *arg,
                 struct err *err)
{
	int rc;

	if (fs_kind_of(in->mode) != FS_DIR)
		return err_set(err, ERR_FORMAT, "not a directory");
	if (in->size > FS_DIR_BYTES_MAX)
		return err_set(err, ERR_LIMIT,
		               "directory of %" PRIu64 " bytes, more than the limit of %u",
		               in->size, FS_DIR_BYTES_MAX);
	rc = in->format == XFS_FORMAT_LOCAL ? list_inside(x, in, fn, arg, err)
	                                    : list_blocks(x, in, fn, arg, err);
	return rc < 0 ? rc : 0;
}
