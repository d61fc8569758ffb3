/* SPDX-License-Identifier: MIT */
/*
 * Changes to a file system that are not written yet: blocks in memory over the
 * blocks of a target. What is read is what would be there. A libext2fs
 * manager sends the library through it. Offsets are bytes from the start of
 * the file system. All functions may be called from any thread.
 */
#ifndef EXT4_EXT4_OVERLAY_H
#define EXT4_EXT4_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ext2fs/ext2fs.h>

#include "base/err.h"

struct target;
struct ext4_overlay;

/*
 * size: bytes of the file system's place; reads and writes beyond it fail.
 * block: bytes of its blocks.
 */
struct ext4_overlay *ext4_overlay_new(struct target *t, uint64_t base, uint64_t size,
                                      uint32_t block);
void ext4_overlay_free(struct ext4_overlay *ov);

/*
 * Read from now on what a replay of the file system's journal would leave; where
 * that cannot be, *err says why and reads are as before.
 */
int ext4_overlay_replay(struct ext4_overlay *ov, struct err *err);

int ext4_overlay_read(struct ext4_overlay *ov, void *p, size_t n, uint64_t off, struct err *err);
/* Into memory only. */
int ext4_overlay_write(struct ext4_overlay *ov, const void *p, size_t n, uint64_t off,
                       struct err *err);
/* Straight to the target, and into the blocks in memory that it touches. */
int ext4_overlay_write_under(struct ext4_overlay *ov, const void *p, size_t n, uint64_t off,
                             struct err *err);

/*
 * Lay what is in memory over n bytes that were read from the target at off, which
 * counts from the target's start; bytes of others stay as they are.
 */
void ext4_overlay_cover(struct ext4_overlay *ov, void *p, size_t n, uint64_t off);

/* A changed block; data has a block's bytes, borrowed from the overlay. */
struct ext4_change {
	uint64_t block;
	uint8_t *data;
};

/*
 * What differs from the target, by ascending block; the caller frees *out.
 */
int ext4_overlay_changes(struct ext4_overlay *ov, struct ext4_change **out, size_t *n,
                         struct err *err);

/* Open a file system through the overlay, flags as for ext2fs_open(). */
errcode_t ext4_overlay_open(struct ext4_overlay *ov, int flags, ext2_filsys *out);
/* Why the library's last read or write failed; code is ERR_NONE if none did. */
const struct err *ext4_overlay_error(const struct ext4_overlay *ov);

#endif
