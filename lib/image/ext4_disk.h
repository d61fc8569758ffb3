/* SPDX-License-Identifier: MIT */
/*
 * The records of an ext4 file system as bytes: inodes, extent trees. Checksums
 * are metadata_csum's crc32c. See Linux's documentation, filesystems/ext4.
 */
#ifndef IMAGE_EXT4_DISK_H
#define IMAGE_EXT4_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/walk.h"

/* What makes one file system differ from another. */
struct ext4_ids {
	uint8_t uuid[16];
	uint8_t hash_seed[16];
	uint32_t csum_seed; /* crc32c of the UUID; see ext4_ids_init() */
	bool signed_hash;   /* names are hashed as signed bytes; ours never */
};

/* Everything from the UUID: the hash seed is a digest of it. */
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
#define EXT4_EXTENTS_PER_LEAF 340u

/*
 * How many leaf blocks the extent tree of a file of so many blocks gets. A
 * function of the size alone: files up to 256 MiB never need one wherever they
 * lie, larger ones get room for every split that the line could cause.
 */
uint32_t ext4_extent_leaves(uint64_t blocks);

/* One leaf block of up to EXT4_EXTENTS_PER_LEAF extents into out. */
void ext4_extent_leaf(const struct ext4_ids *ids, uint32_t ino, const struct ext4_extent *ext,
                      size_t n, uint8_t out[4096]);

/* The root of an extent tree in an inode's 60 bytes: up to EXT4_EXTENTS_INLINE. */
void ext4_extent_root(const struct ext4_extent *ext, size_t n, uint8_t out[60]);

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
	uint64_t blocks; /* of 4096 bytes, with the extent tree's own */
	bool indexed;    /* a directory with a hash tree */
	/* Either a short link's target, or leaves, or extents. */
	struct str target;
	const struct ext4_extent *extents; /* up to EXT4_EXTENTS_INLINE */
	size_t n_extents;
	const struct ext4_extent *leaves; /* logical and phys of leaf blocks */
	size_t n_leaves;
};

#define EXT4_LINK_INLINE 59u /* longer targets get a block */

void ext4_inode_format(const struct ext4_ids *ids, uint32_t ino, const struct ext4_inode *in,
                       uint8_t out[256]);

#endif
