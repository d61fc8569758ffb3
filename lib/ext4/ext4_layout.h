/* SPDX-License-Identifier: MIT */
/*
 * The layout of the ext4 file systems that we write. Blocks are 4096
 * bytes, groups 32768 blocks, inodes 256 bytes, descriptors 64 bytes.
 *
 *     group 0                     groups 1, 3, 5, 7, 9, 25, 27, 49 ...
 *     +----+----------+--------   +------+----------+---------
 *     | SB | GDT area | line ...  | copy | GDT area | ... line
 *     +----+----------+--------   +------+----------+---------
 *
 *     line = data, directories | inode tables | bitmaps | journal | free
 *
 * Everything except superblocks and descriptors is in one sequence of blocks, the
 * line, which skips the backups in the groups. The GDT area (descriptors and the
 * reserve for growing) has a fixed size. So data can be written sequentially before
 * the size of the file system is known.
 *
 * The format is documented in Linux (filesystems/ext4); we checked it against
 * libext2fs.
 */
#ifndef EXT4_EXT4_LAYOUT_H
#define EXT4_EXT4_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define EXT4_BLOCK 4096u
#define EXT4_GROUP_BLOCKS 32768u
#define EXT4_INODE_SIZE 256u
#define EXT4_INODES_PER_BLOCK (EXT4_BLOCK / EXT4_INODE_SIZE)
#define EXT4_ROOT_INO 2u
#define EXT4_LOST_FOUND_INO 11u
#define EXT4_FIRST_INO 12u /* the first that is free for us */
#define EXT4_MIN_BYTES (16ull << 20)
#define EXT4_MAX_BYTES (7ull << 40)

/* What the file system must contain. */
struct ext4_need {
	uint64_t line_blocks; /* data, directories, long links, extent trees */
	uint64_t inodes;      /* the highest inode number in use */
};

struct ext4_layout {
	uint32_t gdt_area; /* blocks of descriptors and reserve in each copy */
	uint64_t blocks;   /* of the whole file system */
	uint32_t groups;
	uint32_t inodes_per_group;
	uint32_t itable_blocks; /* per group */
	uint64_t line_blocks;   /* as in ext4_need */
	uint64_t line_used;     /* with tables, bitmaps; the journal starts here */
	uint64_t journal_blocks;
	uint64_t free_blocks;       /* free blocks after everything is written */
	uint32_t block, inode_size; /* bytes; EXT4_BLOCK and EXT4_INODE_SIZE of our own */
	uint64_t *itable;           /* per group: first physical block; owned */
	uint64_t *bitmaps;          /* per group: block bitmap, then inode bitmap; owned */
};

/* The GDT area for a size in bytes; 0: for a size not known yet (up to 1 TiB). */
uint32_t ext4_gdt_area(uint64_t bytes);

/* The physical block of a position in the line; *run: how many are contiguous. */
uint64_t ext4_line_block(uint32_t gdt_area, uint64_t line, uint64_t *run);

/* Whether a group holds a copy of superblock and descriptors. */
bool ext4_has_super(uint32_t group);

/*
 * Lay out a file system of exactly bytes (rounded down to what ext4 can use).
 * -ERR_SPACE if need does not fit; the text has the size that is needed.
 */
int ext4_layout_fixed(const struct ext4_need *need, uint64_t bytes, struct ext4_layout *out,
                      struct err *err);

/* The smallest one that leaves at least spare bytes free. */
int ext4_layout_auto(const struct ext4_need *need, uint64_t spare, struct ext4_layout *out,
                     struct err *err);

void ext4_layout_fini(struct ext4_layout *lay);

/* Byte offset of an inode in the file system; ino is 1 or more and in range. */
uint64_t ext4_inode_offset(const struct ext4_layout *lay, uint32_t ino);

#endif
