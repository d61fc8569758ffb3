/* SPDX-License-Identifier: MIT */
/*
 * btrfs, read only; for btrfs*.c alone. All numbers are little-endian (btrfs.readthedocs.io,
 * "On-disk Format"):
 *
 *     superblock   at 64 KiB: where the trees of roots and of chunks are, and the first chunks
 *     chunk        a range of logical addresses, and the stripes on the devices that have it
 *     node         checksum, UUID, its own address, generation, level; sorted keys, which have
 *                  below them nodes, or at level 0 items
 *     key          object (64 bits), type (8), offset (64)
 *     tree of roots     ROOT_ITEM of each tree; "default" names the default subvolume
 *     tree of files     INODE_ITEM, DIR_INDEX, EXTENT_DATA: a subvolume, or a snapshot of one
 *
 *     btrfs.c          superblock, what fs.c asks for
 *     btrfs_chunk.c    logical addresses to bytes of this device
 *     btrfs_node.c     checked nodes, a few of them kept
 *     btrfs_tree.c     a place in a tree, and the next
 *     btrfs_subvol.c   subvolumes
 *     btrfs_inode.c    inodes, directories, extents
 *     btrfs_pack.c     compressed extents
 *
 * A node's checksum is verified, and another copy on this device is read where it is wrong.
 * Checksums of files' data are not.
 */
#ifndef FS_BTRFS_H
#define FS_BTRFS_H

#include "base/bytes.h"
#include "fs/driver.h"

#define BTRFS_UUID_SIZE 16
#define BTRFS_SUM_SIZE 32     /* room for a checksum */
#define BTRFS_LEVELS 8u       /* of a tree */
#define BTRFS_NODE_MAX 65536u /* bytes */
#define BTRFS_NODES_KEPT 16u
#define BTRFS_COPIES 2u        /* that one device may have */
#define BTRFS_STUB UINT64_C(2) /* an empty directory in a snapshot, where a subvolume was */

/* Objects and types of keys. */
#define BTRFS_TREE_TOP 5u
#define BTRFS_CHUNKS 256u
#define BTRFS_INODE_ITEM 1u
#define BTRFS_DIR_ITEM 84u
#define BTRFS_DIR_INDEX 96u
#define BTRFS_EXTENT_DATA 108u
#define BTRFS_ROOT_ITEM 132u
#define BTRFS_ROOT_REF 156u
#define BTRFS_CHUNK_ITEM 228u

struct btrfs_key {
	uint64_t object;
	unsigned type;
	uint64_t offset;
};

struct btrfs_root {
	uint64_t at; /* logical */
	uint64_t generation;
	unsigned level;
};

/* Logical bytes that are contiguous on this device. */
struct btrfs_chunk {
	uint64_t at, n;
	uint64_t type;               /* its profile */
	uint64_t disk[BTRFS_COPIES]; /* bytes of the window */
	unsigned copies;             /* 0: not to be read from this device alone */
};

struct btrfs_chunks {
	struct btrfs_chunk *v;
	size_t n, cap;
};

/* A subvolume that something pointed to; root is read when it is used. */
struct btrfs_subvol {
	uint64_t id;
	uint64_t parent; /* the subvolume whose directory it is in; 0: it does not matter */
	bool known, stub;
	struct btrfs_root root;
	uint64_t dir; /* inode */
};

/* A node whose checksum was right. */
struct btrfs_node {
	uint64_t at;   /* logical; 0: none */
	uint64_t disk; /* the copy that was read */
	uint64_t generation;
	uint32_t n; /* of its keys */
	unsigned level;
	uint8_t *p;
};

enum btrfs_sum {
	BTRFS_CRC32C,
	BTRFS_XXHASH,
	BTRFS_SHA256,
	BTRFS_BLAKE2,
	BTRFS_SUMS,
};

struct btrfs_unpacker;

struct btrfs {
	struct fs fs;
	uint32_t sector, node; /* bytes */
	uint64_t size, used;   /* bytes of all devices */
	uint64_t generation;
	uint64_t device;
	enum btrfs_sum sum;
	uint8_t uuid[BTRFS_UUID_SIZE]; /* that nodes have */
	struct btrfs_root roots, chunk_root;
	uint64_t root_dir;
	struct btrfs_chunks chunks;
	struct btrfs_subvol *subvol;
	size_t subvols, subvols_cap;
	struct btrfs_node kept[BTRFS_NODES_KEPT];
	struct btrfs_unpacker *unpacker;
};

/* ---- chunks */

/* A chunk's item, behind its key, into *out. */
int btrfs_chunk_parse(const struct btrfs *b, uint64_t at, struct bytes *item,
                      struct btrfs_chunk *out, struct err *err);
/* Append it; the order is that of addresses. */
int btrfs_chunk_add(struct btrfs_chunks *to, const struct btrfs_chunk *c, struct err *err);
/* The superblock's own chunks, with which the tree of chunks is read; then all of them. */
int btrfs_chunks_first(struct btrfs *b, const uint8_t *p, size_t n, struct err *err);
int btrfs_chunks_read(struct btrfs *b, struct err *err);
/* Where n bytes are: copy 0, 1… into *disk; 1: there is no such copy. */
int btrfs_at(const struct btrfs *b, uint64_t at, uint64_t n, unsigned copy, uint64_t *disk,
             struct err *err);

/* ---- nodes and trees */

/* Whether p, of n bytes with its checksum at the beginning, is whole. */
bool btrfs_sum_ok(enum btrfs_sum sum, const uint8_t *p, size_t n);
/* *out is borrowed until the next call. */
int btrfs_node_read(struct btrfs *b, uint64_t at, const struct btrfs_node **out, struct err *err);
/* Key i of a node; at level 0 also its item's bytes. */
struct btrfs_key btrfs_node_key(const struct btrfs_node *node, uint32_t i);
struct bytes btrfs_node_item(const struct btrfs_node *node, uint32_t i);
/* Of key i of a node above level 0: the node below. */
void btrfs_node_below(const struct btrfs_node *node, uint32_t i, uint64_t *at,
                      uint64_t *generation);
int btrfs_key_compare(const struct btrfs_key *a, const struct btrfs_key *b);

struct btrfs_level {
	struct btrfs_node node; /* with its own memory */
	uint32_t i;
	struct btrfs_key end; /* of what may be below; bounded: there is one */
	bool bounded;
};

/* A place in a tree; end with btrfs_place_fini(). */
struct btrfs_place {
	struct btrfs *b;
	unsigned top; /* level of the root */
	struct btrfs_level level[BTRFS_LEVELS];
	struct btrfs_key key;
	struct bytes item; /* valid until the place moves */
};

/* Go to the first key that is not below *key: 0; 1: none. */
int btrfs_place_seek(struct btrfs_place *p, const struct btrfs_root *root,
                     const struct btrfs_key *key, struct err *err);
int btrfs_place_next(struct btrfs_place *p, struct err *err);
void btrfs_place_fini(struct btrfs_place *p);

/* ---- what trees have */

/*
 * A node of fs.c has the subvolume's index, and the inode's number in its low bits. -ERR_LIMIT if
 * one is too large.
 */
int btrfs_subvol_node(struct btrfs *b, uint64_t id, uint64_t parent, uint64_t *node,
                      struct err *err);
int btrfs_inode_node(uint64_t subvol_node, uint64_t inode, uint64_t *node, struct err *err);
/* The subvolume of a node, and the inode's number. */
int btrfs_node_subvol(struct btrfs *b, uint64_t node, struct btrfs_subvol *out, uint64_t *inode,
                      struct err *err);
/* The default subvolume's number. */
int btrfs_subvol_default(struct btrfs *b, uint64_t *id, struct err *err);

int btrfs_stat(struct fs *fs, uint64_t node, struct fs_stat *out, struct err *err);
int btrfs_map(struct fs *fs, uint64_t node, struct fs_map *out, struct err *err);
int btrfs_list(struct fs *fs, uint64_t dir, fs_entry_fn *fn, void *arg, struct err *err);

/* What a directory's entry begins with. */
struct btrfs_dirent {
	struct btrfs_key key; /* of an inode or a subvolume */
	struct str name;      /* in the item */
};

/* The next entry of a directory's item; more than one are in a DIR_ITEM. */
int btrfs_dirent_next(struct bytes *item, struct btrfs_dirent *out, struct err *err);

/* ---- compressed extents */

enum btrfs_packing {
	BTRFS_PLAIN,
	BTRFS_ZLIB,
	BTRFS_LZO,
	BTRFS_ZSTD,
	BTRFS_PACKINGS,
};

#define BTRFS_PACKED_MAX (128u << 10) /* bytes of a compressed extent, packed or not */

int btrfs_unpack(struct fs *fs, const struct fs_run *run, uint64_t from, void *p, size_t n,
                 struct err *err);
void btrfs_unpacker_free(struct btrfs_unpacker *u);

#endif
