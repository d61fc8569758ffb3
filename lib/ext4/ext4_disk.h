/* SPDX-License-Identifier: MIT */
/*
 * The records of an ext4 file system as bytes: inodes, extent trees. Checksums
 * are metadata_csum's crc32c. See Linux's documentation, filesystems/ext4.
 */
#ifndef EXT4_EXT4_DISK_H
#define EXT4_EXT4_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/walk.h"

/* What makes one file system differ from another. */
struct ext4_ids {
	uint8_t uuid[16];
	uint8_t hash_seed[16];
	uint32_t csum_seed;  /* crc32c of the UUID; see ext4_ids_init() */
	uint32_t block;      /* bytes: 1024, 2048 or 4096 */
	uint32_t inode_size; /* bytes: 128 to block */
	uint8_t hash;        /* of names, as ext2fs_dirhash2() counts them */
	bool csum;           /* metadata_csum */
	bool extents;        /* else lists of blocks */
	bool types;          /* entries of directories say what they name */
	bool index;          /* large directories are hash trees */
};

#define EXT4_INODE_SIZE_MAX 4096u

/* A file system of ours, everything from the UUID: the hash seed is a digest of it. */
void ext4_ids_init(struct ext4_ids *ids, const uint8_t uuid[16]);

uint32_t ext4_crc32c(uint32_t crc, const void *p, size_t n);
/* The seed of all checksums that belong to an inode; ours are of generation 0. */
uint32_t ext4_inode_seed(const struct ext4_ids *ids, uint32_t ino, uint32_t generation);

/* A contiguous piece of a file. */
struct ext4_extent {
	uint32_t logical;
	uint16_t len; /* blocks, 1..32768 */
	uint64_t phys;
};

#define EXT4_EXTENT_LEN_MAX 32768u
#define EXT4_EXTENTS_INLINE 4u
#define EXT4_LIST_DIRECT 12u /* blocks that an inode without extents names itself */
#define EXT4_LIST_TREES 3u

/* How many extents one leaf block of their tree holds. */
uint32_t ext4_extents_per_leaf(const struct ext4_ids *ids);

/*
 * How many blocks the map of a file of so many blocks takes. A function of the
 * size alone: of extents, files up to 256 MiB never need one wherever they
 * lie, larger ones get room for every split that the line could cause.
 */
uint64_t ext4_map_blocks(const struct ext4_ids *ids, uint64_t blocks);

/* One leaf block of up to ext4_extents_per_leaf() extents, with the inode's seed, into out. */
void ext4_extent_leaf(const struct ext4_ids *ids, uint32_t seed, const struct ext4_extent *ext,
                      size_t n, uint8_t *out);

/* The root of an extent tree in an inode's 60 bytes: up to EXT4_EXTENTS_INLINE extents, or leaves.
 */
void ext4_extent_root(const struct ext4_extent *ext, size_t n, bool leaves, uint8_t out[60]);

/* A kind of object, as directory entries name it. */
enum ext4_ftype {
	EXT4_FT_FILE = 1,
	EXT4_FT_DIR = 2,
	EXT4_FT_LINK = 7,
};

struct ext4_inode {
	enum ext4_ftype type;
	uint32_t mode; /* permission bits */
	uint32_t uid, gid;
	int64_t mtime; /* all four time stamps */
	uint64_t size;
	uint32_t links;
	uint64_t blocks; /* with those of its map */
	bool indexed;    /* a directory with a hash tree */
	/* Either a short link's target, or the map: extents or a list of blocks. */
	struct str target;
	uint8_t map[60];
};

#define EXT4_LINK_INLINE 59u /* longer targets get a block */

void ext4_inode_format(const struct ext4_ids *ids, uint32_t ino, const struct ext4_inode *in,
                       uint8_t *out);

#endif
