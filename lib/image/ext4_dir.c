/* SPDX-License-Identifier: MIT */
#include "image/ext4_dir.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "image/ext4_layout.h"

#include <ext2fs/ext2fs.h>
#include <stdlib.h>
#include <string.h>

#define TAIL 12u /* a leaf's checksum, dressed as an entry */
#define LEAF_ROOM (EXT4_BLOCK - TAIL)
#define DOTS 24u            /* "." and ".." */
#define ROOT_ENTRIES_AT 32u /* dots, eight bytes of tree information */
#define ROOT_LIMIT 507u     /* entries in the root: (4096 - 32 - 8) / 8 */
#define NODE_ENTRIES_AT 8u
#define NODE_LIMIT 510u
#define HASH_VERSION_ON_DISK 1u /* half MD4; the superblock says "unsigned" */

void ext4_dir_reset(struct ext4_dir *dir)
{
	buf_reset(&dir->names);
	dir->n = dir->n_leaves = dir->n_nodes = 0;
	dir->bytes = 0;
	dir->packed = false;
}

void ext4_dir_fini(struct ext4_dir *dir)
{
	buf_fini(&dir->names);
	free(dir->kids);
	free(dir->leaf_end);
	*dir = (struct ext4_dir){0};
}

static unsigned rec_len(unsigned name_len)
{
	return (8 + name_len + 3) & ~3u;
}

void ext4_dir_add(struct ext4_dir *dir, struct str name, uint32_t ino, enum ext4_ftype type)
{
	GROW(dir->kids, dir->n, dir->cap);
	dir->kids[dir->n++] = (struct ext4_child){
	        .name_off = (uint32_t)dir->names.n,
	        .ino = ino,
	        .name_len = (uint8_t)name.n,
	        .type = (uint8_t)type,
	};
	buf_put(&dir->names, name.p, name.n);
	dir->bytes += rec_len((unsigned)name.n);
}

static _Thread_local const char *sort_names;

static int by_hash(const void *a, const void *b)
{
	const struct ext4_child *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->minor != y->minor)
		return x->minor < y->minor ? -1 : 1;
	return str_cmp((struct str){sort_names + x->name_off, x->name_len},
	               (struct str){sort_names + y->name_off, y->name_len});
}

static void hash_names(struct ext4_dir *dir, const struct ext4_ids *ids)
{
	uint32_t seed[4];

	for (unsigned i = 0; i < 4; i++)
		seed[i] = get_le32(ids->hash_seed + 4 * i);
	for (size_t i = 0; i < dir->n; i++) {
		struct ext4_child *k = &dir->kids[i];
		ext2_dirhash_t hash, minor;

		ext2fs_dirhash2(ids->signed_hash ? EXT2_HASH_HALF_MD4 : EXT2_HASH_HALF_MD4_UNSIGNED,
		                dir->names.p + k->name_off, k->name_len, NULL, 0, seed, &hash,
		                &minor);
		k->hash = hash;
		k->minor = minor;
	}
	sort_names = dir->names.p;
	qsort(dir->kids, dir->n, sizeof *dir->kids, by_hash);
}

static void end_leaf(struct ext4_dir *dir, size_t end)
{
	GROW(dir->leaf_end, dir->n_leaves, dir->leaves_cap);
	dir->leaf_end[dir->n_leaves++] = end;
}

int ext4_dir_pack(struct ext4_dir *dir, const struct ext4_ids *ids, uint64_t *blocks,
                  struct err *err)
{
	unsigned used = 0;

	dir->packed = true;
	*blocks = 1;
	if (dir->bytes + DOTS <= LEAF_ROOM)
		return 0;
	hash_names(dir, ids);
	for (size_t i = 0; i < dir->n; i++) {
		unsigned len = rec_len(dir->kids[i].name_len);

		if (used + len > LEAF_ROOM) {
			end_leaf(dir, i);
			used = 0;
		}
		used += len;
	}
	end_leaf(dir, dir->n);
	if (dir->n_leaves > ROOT_LIMIT)
		dir->n_nodes = (dir->n_leaves + NODE_LIMIT - 1) / NODE_LIMIT;
	if (dir->n_nodes > ROOT_LIMIT)
		return err_set(err, ERR_LIMIT, "a directory of %zu entries is too large for ext4",
		               dir->n);
	*blocks = 1 + dir->n_nodes + dir->n_leaves;
	return 0;
}

static void put_entry(uint8_t *at, uint32_t ino, unsigned len, struct str name, unsigned type)
{
	put_le32(at, ino);
	put_le16(at + 4, (uint16_t)len);
	at[6] = (uint8_t)name.n;
	at[7] = (uint8_t)type;
	memcpy(at + 8, name.p, name.n);
}

static void put_leaf_tail(uint32_t seed, uint8_t out[4096])
{
	uint8_t *tail = out + LEAF_ROOM;

	put_le16(tail + 4, TAIL);
	tail[7] = 0xde;
	put_le32(tail + 8, ext4_crc32c(seed, out, LEAF_ROOM));
}

/* Children [from, to) from offset at on; the last one fills the block. */
static void put_children(const struct ext4_dir *dir, size_t from, size_t to, unsigned at,
                         uint8_t out[4096])
{
	for (size_t i = from; i < to; i++) {
		const struct ext4_child *k = &dir->kids[i];
		unsigned len = i + 1 < to ? rec_len(k->name_len) : LEAF_ROOM - at;

		put_entry(out + at, k->ino, len,
		          (struct str){dir->names.p + k->name_off, k->name_len}, k->type);
		at += len;
	}
}

static void plain_block(const struct ext4_dir *dir, uint32_t seed, uint32_t ino, uint32_t parent,
                        uint8_t out[4096])
{
	put_entry(out, ino, 12, STR("."), EXT4_FT_DIR);
	put_entry(out + 12, parent, dir->n ? 12 : LEAF_ROOM - 12, STR(".."), EXT4_FT_DIR);
	put_children(dir, 0, dir->n, DOTS, out);
	put_leaf_tail(seed, out);
}

static size_t leaf_start(const struct ext4_dir *dir, size_t leaf)
{
	return leaf ? dir->leaf_end[leaf - 1] : 0;
}

/* The hash from which on the leaf answers; its low bit says that names of the
 * same hash stand at the end of the leaf before. */
static uint32_t leaf_hash(const struct ext4_dir *dir, size_t leaf)
{
	size_t first = leaf_start(dir, leaf);
	uint32_t hash = dir->kids[first].hash;

	if (first && dir->kids[first - 1].hash == hash)
		hash |= 1;
	return hash;
}

/* The index entries for count children whose leaf numbers are step apart. */
static void put_index(const struct ext4_dir *dir, uint32_t seed, size_t entries_at, unsigned limit,
                      size_t count, size_t first_block, size_t first_leaf, size_t step,
                      uint8_t out[4096])
{
	uint8_t *e = out + entries_at, *tail = e + (size_t)limit * 8;
	uint8_t zero[4] = {0};
	uint32_t crc;

	for (size_t i = 0; i < count; i++) {
		if (i)
			put_le32(e + 8 * i, leaf_hash(dir, first_leaf + i * step));
		put_le32(e + 8 * i + 4, (uint32_t)(first_block + i));
	}
	put_le16(e, (uint16_t)limit);
	put_le16(e + 2, (uint16_t)count);
	crc = ext4_crc32c(seed, out, entries_at + count * 8);
	crc = ext4_crc32c(crc, tail, 4);
	crc = ext4_crc32c(crc, zero, 4);
	put_le32(tail + 4, crc);
}

static void root_block(const struct ext4_dir *dir, uint32_t seed, uint32_t ino, uint32_t parent,
                       uint8_t out[4096])
{
	bool deep = dir->n_nodes;

	put_entry(out, ino, 12, STR("."), EXT4_FT_DIR);
	put_entry(out + 12, parent, EXT4_BLOCK - 12, STR(".."), EXT4_FT_DIR);
	out[DOTS + 4] = HASH_VERSION_ON_DISK;
	out[DOTS + 5] = 8; /* length of this information */
	out[DOTS + 6] = deep;
	put_index(dir, seed, ROOT_ENTRIES_AT, ROOT_LIMIT, deep ? dir->n_nodes : dir->n_leaves, 1, 0,
	          deep ? NODE_LIMIT : 1, out);
}

void ext4_dir_block(const struct ext4_dir *dir, const struct ext4_ids *ids, uint32_t ino,
                    uint32_t parent, uint64_t i, uint8_t out[4096])
{
	uint32_t seed = ext4_inode_seed(ids, ino, dir->generation);
	size_t leaf;

	memset(out, 0, EXT4_BLOCK);
	if (!dir->n_leaves) {
		plain_block(dir, seed, ino, parent, out);
	} else if (i == 0) {
		root_block(dir, seed, ino, parent, out);
	} else if (i <= dir->n_nodes) {
		size_t first = (i - 1) * NODE_LIMIT;

		put_le16(out + 4, EXT4_BLOCK); /* an empty entry over the whole block */
		put_index(dir, seed, NODE_ENTRIES_AT, NODE_LIMIT,
		          MIN(dir->n_leaves - first, (size_t)NODE_LIMIT), 1 + dir->n_nodes + first,
		          first, 1, out);
	} else {
		leaf = i - 1 - dir->n_nodes;
		put_children(dir, leaf_start(dir, leaf), dir->leaf_end[leaf], 0, out);
		put_leaf_tail(seed, out);
	}
}
