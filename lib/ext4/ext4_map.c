/* SPDX-License-Identifier: MIT */
/*
 * The block map in a file's inode: a tree of extents, or lists of block numbers. What does not fit
 * into the inode is written to blocks after the contents.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "ext4/ext4_piece.h"

#include <string.h>

#define NUMBERS_MAX (EXT4_BLOCK / 4)

/* ---- extents -------------------------------------------------------------- */

/* The leaf blocks of a large file's extent tree, evenly filled. */
static int put_leaves(struct ext4_stream *s, uint32_t seed, size_t n, struct ext4_extent *leaves,
                      struct err *err)
{
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		size_t to = s->n_extents * (i + 1) / n;
		uint8_t *block;
		int rc;

		leaves[i].logical = s->extents[from].logical;
		rc = ext4_piece_block(s, &block, &leaves[i].phys, err);
		if (rc < 0)
			return rc;
		ext4_extent_leaf(s->w->ids, seed, s->extents + from, to - from, block);
		from = to;
	}
	return 0;
}

/*
 * Number of leaf blocks. In a new file system it depends only on the size, so it can be counted in
 * advance; otherwise also on the free space.
 */
static size_t leaf_count(const struct ext4_stream *s, uint64_t blocks)
{
	size_t n = (size_t)ext4_map_blocks(s->w->ids, blocks);
	size_t per = ext4_extents_per_leaf(s->w->ids);

	if (s->n_extents > EXT4_EXTENTS_INLINE)
		n = MAX(n, (s->n_extents + per - 1) / per);
	return n;
}

static int map_extents(struct ext4_stream *s, uint32_t seed, uint64_t blocks, uint8_t map[60],
                       uint64_t *own, struct err *err)
{
	struct ext4_extent leaves[EXT4_EXTENTS_INLINE];
	size_t n = leaf_count(s, blocks);
	int rc;

	if (n > EXT4_EXTENTS_INLINE)
		return err_set(err, ERR_LIMIT, "a file of %llu blocks has too many extents%s",
		               (unsigned long long)blocks,
		               s->w->space ? " because the free space is fragmented" : "");
	rc = put_leaves(s, seed, n, leaves, err);
	if (rc < 0)
		return rc;
	ext4_extent_root(n ? leaves : s->extents, n ? n : s->n_extents, n, map);
	*own = n;
	return 0;
}

/* ---- lists ---------------------------------------------------------------- */

/* The contents' blocks, one after the other. */
struct numbers {
	struct ext4_stream *s;
	size_t extent;
	uint32_t at; /* offset in it */
	uint64_t left, own;
};

static int next_number(struct numbers *n, uint32_t *out, struct err *err)
{
	const struct ext4_extent *e = &n->s->extents[n->extent];
	uint64_t phys = e->phys + n->at;

	if (phys > UINT32_MAX)
		return err_set(err, ERR_LIMIT, "block %llu is beyond the 32 bits of a block map",
		               (unsigned long long)phys);
	*out = (uint32_t)phys;
	n->left--;
	if (++n->at == e->len) {
		n->extent++;
		n->at = 0;
	}
	return 0;
}

/*
 * Write an indirect block for the blocks that are left, in a tree of this depth; its number is
 * *out.
 */
static int put_numbers(struct numbers *n, unsigned depth, uint32_t *out, struct err *err)
{
	const size_t per = n->s->w->ids->block / 4;
	uint32_t number[NUMBERS_MAX];
	uint64_t phys = 0;
	uint8_t *block;
	size_t count = 0;
	int rc = 0;

	if (!depth)
		return next_number(n, out, err);
	while (count < per && n->left && rc == 0)
		rc = put_numbers(n, depth - 1, &number[count++], err);
	if (rc == 0)
		rc = ext4_piece_block(n->s, &block, &phys, err);
	if (rc < 0)
		return rc;
	if (phys > UINT32_MAX)
		return err_set(err, ERR_LIMIT, "block %llu is beyond the 32 bits of a block map",
		               (unsigned long long)phys);
	memset(block, 0, n->s->w->ids->block);
	for (size_t i = 0; i < count; i++)
		put_le32(block + 4 * i, number[i]);
	n->own++;
	*out = (uint32_t)phys;
	return 0;
}

static int map_list(struct ext4_stream *s, uint64_t blocks, uint8_t map[60], uint64_t *own,
                    struct err *err)
{
	struct numbers n = {.s = s, .left = blocks};
	uint32_t number;
	int rc = 0;

	memset(map, 0, 60);
	for (unsigned i = 0; i < EXT4_LIST_DIRECT + EXT4_LIST_TREES && n.left && rc == 0; i++) {
		rc = put_numbers(&n, i < EXT4_LIST_DIRECT ? 0 : i - EXT4_LIST_DIRECT + 1, &number,
		                 err);
		if (rc == 0)
			put_le32(map + 4 * (size_t)i, number);
	}
	if (rc == 0 && n.left)
		rc = err_set(err, ERR_LIMIT,
		             "a file of %llu blocks is too large for a block map (no extents)",
		             (unsigned long long)blocks);
	*own = n.own;
	return rc;
}

int ext4_piece_map(struct ext4_stream *s, uint32_t seed, uint64_t blocks, uint8_t map[60],
                   uint64_t *own, struct err *err)
{
	if (!s->w->ids->extents)
		return map_list(s, blocks, map, own, err);
	return map_extents(s, seed, blocks, map, own, err);
}
