/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/mem.h"
#include "ext4/ext4_dir.h"
#include "ext4/ext4_layout.h"

#include <ext2fs/ext2fs.h>
#include <stdlib.h>
#include <string.h>

#define TAIL 12u            /* a leaf's checksum, in the form of an empty entry */
#define DOTS 24u            /* "." and ".." */
#define ROOT_ENTRIES_AT 32u /* dots, eight bytes of tree information */
#define NODE_ENTRIES_AT 8u
#define INDEX_ENTRY 8u

/* Bytes of a leaf that can hold entries. */
static unsigned leaf_room(const struct ext4_ids *ids)
{
	return ids->block - (ids->csum ? TAIL : 0);
}

/*
 * Number of entries of an index that begins at this offset in its block; the checksum takes the
 * place of one.
 */
static unsigned index_limit(const struct ext4_ids *ids, unsigned entries_at)
{
	return (ids->block - entries_at) / INDEX_ENTRY - ids->csum;
}

static unsigned root_limit(const struct ext4_ids *ids)
{
	return index_limit(ids, ROOT_ENTRIES_AT);
}

static unsigned node_limit(const struct ext4_ids *ids)
{
	return index_limit(ids, NODE_ENTRIES_AT);
}

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

		ext2fs_dirhash2(ids->hash, dir->names.p + k->name_off, k->name_len, NULL, 0, seed,
		                &hash, &minor);
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

/* Plan leaves of this many bytes each; used: bytes of the first one that are taken. */
static void cut_leaves(struct ext4_dir *dir, unsigned room, unsigned used)
{
	for (size_t i = 0; i < dir->n; i++) {
		unsigned len = rec_len(dir->kids[i].name_len);

		if (used + len > room) {
			end_leaf(dir, i);
			used = 0;
		}
		used += len;
	}
	end_leaf(dir, dir->n);
}

int ext4_dir_pack(struct ext4_dir *dir, const struct ext4_ids *ids, uint64_t *blocks,
                  struct err *err)
{
	unsigned room = leaf_room(ids);

	dir->packed = true;
	*blocks = 1;
	if (dir->bytes + DOTS <= room)
		return 0;
	if (!ids->index) {
		cut_leaves(dir, room, DOTS);
		*blocks = dir->n_leaves;
		return 0;
	}
	hash_names(dir, ids);
	cut_leaves(dir, room, 0);
	if (dir->n_leaves > root_limit(ids))
		dir->n_nodes = (dir->n_leaves + node_limit(ids) - 1) / node_limit(ids);
	if (dir->n_nodes > root_limit(ids))
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

/* State while the blocks of a directory are written. */
struct putting {
	const struct ext4_dir *dir;
	const struct ext4_ids *ids;
	uint32_t seed;
};

static void put_leaf_tail(const struct putting *p, uint8_t *out)
{
	unsigned room = leaf_room(p->ids);

	if (!p->ids->csum)
		return;
	put_le16(out + room + 4, TAIL);
	out[room + 7] = 0xde;
	put_le32(out + room + 8, ext4_crc32c(p->seed, out, room));
}

/* Children [from, to) from offset at on; the last one fills the block. */
static void put_children(const struct putting *p, size_t from, size_t to, unsigned at, uint8_t *out)
{
	for (size_t i = from; i < to; i++) {
		const struct ext4_child *k = &p->dir->kids[i];
		unsigned len = i + 1 < to ? rec_len(k->name_len) : leaf_room(p->ids) - at;

		put_entry(out + at, k->ino, len,
		          (struct str){p->dir->names.p + k->name_off, k->name_len},
		          p->ids->types ? k->type : 0);
		at += len;
	}
	put_leaf_tail(p, out);
}

/* "." and "..", which ends where the next entry begins. */
static void put_dots(const struct putting *p, unsigned end, uint8_t *out)
{
	unsigned type = p->ids->types ? EXT4_FT_DIR : 0;

	put_entry(out, p->dir->ino, 12, STR("."), type);
	put_entry(out + 12, p->dir->parent, end - 12, STR(".."), type);
}

/* The first block of a directory without a tree: its entries up to the child to. */
static void first_block(const struct putting *p, size_t to, uint8_t *out)
{
	put_dots(p, to ? DOTS : leaf_room(p->ids), out);
	put_children(p, 0, to, DOTS, out);
}

static size_t leaf_start(const struct ext4_dir *dir, size_t leaf)
{
	return leaf ? dir->leaf_end[leaf - 1] : 0;
}

/*
 * The smallest hash in the leaf. Its low bit means that the leaf before ends with names of the same
 * hash.
 */
static uint32_t leaf_hash(const struct ext4_dir *dir, size_t leaf)
{
	size_t first = leaf_start(dir, leaf);
	uint32_t hash = dir->kids[first].hash;

	if (first && dir->kids[first - 1].hash == hash)
		hash |= 1;
	return hash;
}

/* Entries of an index: count children, whose leaf numbers are step apart. */
struct index {
	unsigned entries_at; /* in the block */
	size_t count, first_block, first_leaf, step;
};

static void put_index(const struct putting *p, const struct index *x, uint8_t *out)
{
	unsigned limit = index_limit(p->ids, x->entries_at);
	uint8_t *e = out + x->entries_at, *tail = e + (size_t)limit * INDEX_ENTRY;
	uint8_t zero[4] = {0};
	uint32_t crc;

	for (size_t i = 0; i < x->count; i++) {
		if (i)
			put_le32(e + INDEX_ENTRY * i,
			         leaf_hash(p->dir, x->first_leaf + i * x->step));
		put_le32(e + INDEX_ENTRY * i + 4, (uint32_t)(x->first_block + i));
	}
	put_le16(e, (uint16_t)limit);
	put_le16(e + 2, (uint16_t)x->count);
	if (!p->ids->csum)
		return;
	crc = ext4_crc32c(p->seed, out, x->entries_at + x->count * INDEX_ENTRY);
	crc = ext4_crc32c(crc, tail, 4);
	crc = ext4_crc32c(crc, zero, 4);
	put_le32(tail + 4, crc);
}

static void root_block(const struct putting *p, uint8_t *out)
{
	const struct ext4_dir *dir = p->dir;
	bool deep = dir->n_nodes;

	put_dots(p, p->ids->block, out);
	out[DOTS + 4] = p->ids->hash % 3; /* the superblock says whether it is unsigned */
	out[DOTS + 5] = 8;                /* length of this information */
	out[DOTS + 6] = deep;
	put_index(p,
	          &(struct index){.entries_at = ROOT_ENTRIES_AT,
	                          .count = deep ? dir->n_nodes : dir->n_leaves,
	                          .first_block = 1,
	                          .step = deep ? node_limit(p->ids) : 1},
	          out);
}

static void node_block(const struct putting *p, size_t node, uint8_t *out)
{
	size_t first = node * node_limit(p->ids);

	put_le16(out + 4, (uint16_t)p->ids->block); /* an empty entry over the whole block */
	put_index(
	        p,
	        &(struct index){.entries_at = NODE_ENTRIES_AT,
	                        .count = MIN(p->dir->n_leaves - first, (size_t)node_limit(p->ids)),
	                        .first_block = 1 + p->dir->n_nodes + first,
	                        .first_leaf = first,
	                        .step = 1},
	        out);
}

void ext4_dir_block(const struct ext4_dir *dir, const struct ext4_ids *ids, uint64_t i,
                    uint8_t *out)
{
	struct putting p = {
	        .dir = dir, .ids = ids, .seed = ext4_inode_seed(ids, dir->ino, dir->generation)};
	size_t leaf = ids->index ? i - 1 - dir->n_nodes : i;

	memset(out, 0, ids->block);
	if (!dir->n_leaves)
		first_block(&p, dir->n, out);
	else if (i == 0 && !ids->index)
		first_block(&p, dir->leaf_end[0], out);
	else if (i == 0)
		root_block(&p, out);
	else if (ids->index && i <= dir->n_nodes)
		node_block(&p, (size_t)i - 1, out);
	else
		put_children(&p, leaf_start(dir, leaf), dir->leaf_end[leaf], 0, out);
}
