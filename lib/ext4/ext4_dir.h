/* SPDX-License-Identifier: MIT */
/*
 * A directory of an ext4 file system, gathered entry by entry and then written
 * at once: one plain block where that is enough, else a hash tree (htree) that
 * is full and balanced from the start, or without dir_index leaves alone.
 *
 *     block 0: "." ".." root of the tree | interior nodes | leaves, by hash
 */
#ifndef EXT4_EXT4_DIR_H
#define EXT4_EXT4_DIR_H

#include "base/buf.h"
#include "ext4/ext4_disk.h"

struct ext4_child {
	uint32_t name_off; /* in the directory's names */
	uint32_t ino;
	uint32_t hash, minor;
	uint8_t name_len;
	uint8_t type;
};

/* Zeroed memory is an empty one; it may be reused after ext4_dir_reset(). */
struct ext4_dir {
	struct buf names;
	struct ext4_child *kids;
	size_t n, cap;
	uint64_t bytes;       /* of all entries, "." and ".." left aside */
	uint32_t ino, parent; /* for ext4_dir_block() */
	uint32_t generation;  /* of its inode: 0 unless somebody else made it */
	/* once packed */
	size_t *leaf_end; /* index behind each leaf's last child */
	size_t n_leaves, leaves_cap, n_nodes;
	bool packed;
};

void ext4_dir_reset(struct ext4_dir *dir);
void ext4_dir_fini(struct ext4_dir *dir);

/* A valid name (walk_name_valid) that is not in the directory yet. */
void ext4_dir_add(struct ext4_dir *dir, struct str name, uint32_t ino, enum ext4_ftype type);

/*
 * Settle the layout; no more entries may come. *blocks is the directory's
 * size. -ERR_LIMIT for more entries than a tree of two levels holds.
 */
int ext4_dir_pack(struct ext4_dir *dir, const struct ext4_ids *ids, uint64_t *blocks,
                  struct err *err);

/* Write block number i of a packed directory, whose ino and parent are set. */
void ext4_dir_block(const struct ext4_dir *dir, const struct ext4_ids *ids, uint64_t i,
                    uint8_t *out);

#endif
