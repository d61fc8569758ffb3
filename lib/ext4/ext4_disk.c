/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/mem.h"
#include "ext4/ext4_disk.h"
#include "ext4/ext4_layout.h"

#include <ext2fs/ext2fs.h>
#include <string.h>
#include <sys/stat.h>

#define EXTENTS_FL 0x80000u
#define INDEX_FL 0x1000u
#define EXTENT_MAGIC 0xf30au
#define EXTENT_HEAD 12u
#define EXTENT_SIZE 12u
#define SMALL_INODE 128u
#define EXTRA_ISIZE 32u
#define OFF_I_BLOCK 0x28u
#define OFF_CSUM_LO 0x7cu
#define OFF_CSUM_HI 0x82u
/* Every group with a backup interrupts a file. */
#define SPLITS_MAX 24u
#define NO_LEAF_BLOCKS (2 * EXT4_EXTENT_LEN_MAX)

uint32_t ext4_crc32c(uint32_t crc, const void *p, size_t n)
{
	return ext2fs_crc32c_le(crc, p, n);
}

void ext4_ids_init(struct ext4_ids *ids, const uint8_t uuid[16])
{
	memcpy(ids->uuid, uuid, 16);
	ids->csum_seed = ext4_crc32c(~0u, uuid, 16);
	ids->block = EXT4_BLOCK;
	ids->inode_size = EXT4_INODE_SIZE;
	ids->hash = EXT2_HASH_HALF_MD4_UNSIGNED;
	ids->csum = ids->extents = ids->types = ids->index = true;
	/* Any value that differs between file systems will do. */
	for (unsigned i = 0; i < 4; i++)
		put_le32(ids->hash_seed + 4 * i, ext4_crc32c(ids->csum_seed + i, uuid, 16));
}

uint32_t ext4_inode_seed(const struct ext4_ids *ids, uint32_t ino, uint32_t generation)
{
	uint8_t raw[8];

	put_le32(raw, ino);
	put_le32(raw + 4, generation);
	return ext4_crc32c(ids->csum_seed, raw, sizeof raw);
}

uint32_t ext4_extents_per_leaf(const struct ext4_ids *ids)
{
	return (ids->block - EXTENT_HEAD) / EXTENT_SIZE;
}

/* Number of indirect blocks for n blocks, in a tree of this depth. */
static uint64_t tree_blocks(uint64_t n, uint64_t per, unsigned depth)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < depth && n; i++) {
		n = (n + per - 1) / per;
		sum += n;
	}
	return sum;
}

/* The inode has the first block numbers, then trees of one to three levels. */
static uint64_t list_blocks(const struct ext4_ids *ids, uint64_t blocks)
{
	uint64_t per = ids->block / 4, under = 1, sum = 0;
	uint64_t left = blocks - MIN(blocks, (uint64_t)EXT4_LIST_DIRECT);

	for (unsigned depth = 1; depth <= EXT4_LIST_TREES; depth++) {
		uint64_t here;

		under *= per;
		here = MIN(left, under);
		sum += tree_blocks(here, per, depth);
		left -= here;
	}
	return sum;
}

uint64_t ext4_map_blocks(const struct ext4_ids *ids, uint64_t blocks)
{
	uint64_t extents, per = ext4_extents_per_leaf(ids);

	if (!ids->extents)
		return list_blocks(ids, blocks);
	if (blocks <= NO_LEAF_BLOCKS)
		return 0;
	extents = (blocks + EXT4_EXTENT_LEN_MAX - 1) / EXT4_EXTENT_LEN_MAX + SPLITS_MAX;
	return (extents + per - 1) / per;
}

static void extent_header(uint8_t *out, size_t n, unsigned max, unsigned depth)
{
	put_le16(out, EXTENT_MAGIC);
	put_le16(out + 2, (uint16_t)n);
	put_le16(out + 4, (uint16_t)max);
	put_le16(out + 6, (uint16_t)depth);
	put_le32(out + 8, 0);
}

static void extent_format(const struct ext4_extent *e, uint8_t *out)
{
	put_le32(out, e->logical);
	put_le16(out + 4, e->len);
	put_le16(out + 6, (uint16_t)(e->phys >> 32));
	put_le32(out + 8, (uint32_t)e->phys);
}

static void index_format(const struct ext4_extent *e, uint8_t *out)
{
	put_le32(out, e->logical);
	put_le32(out + 4, (uint32_t)e->phys);
	put_le16(out + 8, (uint16_t)(e->phys >> 32));
	put_le16(out + 10, 0);
}

void ext4_extent_leaf(const struct ext4_ids *ids, uint32_t seed, const struct ext4_extent *ext,
                      size_t n, uint8_t *out)
{
	uint32_t per = ext4_extents_per_leaf(ids);
	size_t tail = EXTENT_HEAD + EXTENT_SIZE * (size_t)per;

	memset(out, 0, ids->block);
	extent_header(out, n, per, 0);
	for (size_t i = 0; i < n; i++)
		extent_format(&ext[i], out + EXTENT_HEAD + EXTENT_SIZE * i);
	if (ids->csum)
		put_le32(out + tail, ext4_crc32c(seed, out, tail));
}

void ext4_extent_root(const struct ext4_extent *ext, size_t n, bool leaves, uint8_t out[60])
{
	memset(out, 0, 60);
	extent_header(out, n, EXT4_EXTENTS_INLINE, leaves);
	for (size_t i = 0; i < n; i++) {
		uint8_t *at = out + EXTENT_HEAD + EXTENT_SIZE * i;

		leaves ? index_format(&ext[i], at) : extent_format(&ext[i], at);
	}
}

static uint32_t type_bits(enum ext4_ftype type)
{
	return type == EXT4_FT_DIR ? S_IFDIR : type == EXT4_FT_LINK ? S_IFLNK : S_IFREG;
}

/* Seconds in the low 32 bits, two more in the extra field; no fraction. */
static void format_times(uint8_t *out, int64_t t, bool large)
{
	static const uint8_t sec[] = {0x08, 0x0c, 0x10, 0x90};
	static const uint8_t extra[] = {0x8c, 0x84, 0x88, 0x94};
	uint32_t epoch = (uint32_t)((t - (int32_t)t) >> 32) & 3;

	for (size_t i = 0; i < ARRAY_LEN(sec); i++) {
		if (large || sec[i] < SMALL_INODE)
			put_le32(out + sec[i], (uint32_t)t);
		if (large)
			put_le32(out + extra[i], epoch);
	}
}

void ext4_inode_format(const struct ext4_ids *ids, uint32_t ino, const struct ext4_inode *in,
                       uint8_t *out)
{
	bool short_link = in->type == EXT4_FT_LINK && in->size <= EXT4_LINK_INLINE;
	bool large = ids->inode_size > SMALL_INODE;
	uint64_t sectors = in->blocks * (ids->block / 512);
	uint32_t crc;

	memset(out, 0, ids->inode_size);
	put_le16(out, (uint16_t)(type_bits(in->type) | in->mode));
	put_le16(out + 0x02, (uint16_t)in->uid);
	put_le16(out + 0x78, (uint16_t)(in->uid >> 16));
	put_le16(out + 0x18, (uint16_t)in->gid);
	put_le16(out + 0x7a, (uint16_t)(in->gid >> 16));
	put_le32(out + 0x04, (uint32_t)in->size);
	put_le32(out + 0x6c, (uint32_t)(in->size >> 32));
	put_le16(out + 0x1a, (uint16_t)in->links);
	put_le32(out + 0x1c, (uint32_t)sectors);
	put_le16(out + 0x74, (uint16_t)(sectors >> 32));
	put_le32(out + 0x20,
	         (short_link || !ids->extents ? 0 : EXTENTS_FL) | (in->indexed ? INDEX_FL : 0));
	if (large)
		put_le16(out + 0x80, EXTRA_ISIZE);
	format_times(out, in->mtime, large);
	memcpy(out + OFF_I_BLOCK, short_link ? (const uint8_t *)in->target.p : in->map,
	       short_link ? in->target.n : sizeof in->map);
	if (!ids->csum)
		return;
	crc = ext4_crc32c(ext4_inode_seed(ids, ino, 0), out, ids->inode_size);
	put_le16(out + OFF_CSUM_LO, (uint16_t)crc);
	if (large)
		put_le16(out + OFF_CSUM_HI, (uint16_t)(crc >> 16));
}
