/* SPDX-License-Identifier: MIT */
/*
 * The free space of an existing file system, for an ext4_writer: the free blocks
 * are its line, and the free inodes are numbered as places.
 *
 *     line    0 .. n_blocks   runs of free blocks, by ascending address
 *     places  0 .. pristine   inodes in the parts of the tables that nothing
 *                             reads yet (beyond bg_itable_unused)
 *             .. n_inodes     inodes that were once used
 *
 * Data in free blocks and in pristine inodes is not visible until bitmaps and
 * descriptors change. Other free inodes are visible, because e2fsck reads their
 * tables; they are written through the overlay.
 */
#ifndef EXT4_EXT4_SPACE_H
#define EXT4_EXT4_SPACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct ext4_overlay;

struct ext4_block_run {
	uint64_t line, phys, n;
};

struct ext4_inode_run {
	uint32_t place, ino, n;
};

/* Zeroed memory is an empty one. */
struct ext4_space {
	struct ext4_block_run *block_runs;
	size_t n_block_runs, block_cap;
	uint64_t n_blocks;
	struct ext4_inode_run *inode_runs;
	size_t n_inode_runs, inode_cap;
	uint32_t n_inodes, pristine;
	struct ext4_overlay *overlay; /* borrowed */
};

void ext4_space_fini(struct ext4_space *sp);

/* Add at the end. */
void ext4_space_add_blocks(struct ext4_space *sp, uint64_t phys, uint64_t n);
void ext4_space_add_inodes(struct ext4_space *sp, uint32_t ino, uint32_t n);

/* The physical block of a place, which is under n_blocks; *run: how many follow. */
uint64_t ext4_space_block(const struct ext4_space *sp, uint64_t line, uint64_t *run);
/* The inode number of a place, which is under n_inodes. */
uint32_t ext4_space_ino(const struct ext4_space *sp, uint32_t place, uint32_t *run);

/* The number of gaps in a range of the line. */
uint64_t ext4_space_breaks(const struct ext4_space *sp, uint64_t line, uint64_t n);

/*
 * Write inodes that stand at a byte offset from the start of the file system,
 * the first of them at place; all of them pristine or none. Any thread.
 */
int ext4_space_write_inodes(const struct ext4_space *sp, uint32_t place, const void *p, size_t n,
                            uint64_t off, struct err *err);

#endif
