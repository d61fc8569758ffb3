/* SPDX-License-Identifier: MIT */
/*
 * What makes a finished file system of what the streams wrote: bitmaps,
 * descriptors, the journal, the reserve for growing, the superblocks. All of
 * it by libext2fs.
 */
#ifndef EXT4_EXT4_FINISH_H
#define EXT4_EXT4_FINISH_H

#include "ext4/ext4_writer.h"

#define EXT4_LABEL_MAX 16

struct ext4_final {
	const char *label; /* at most EXT4_LABEL_MAX bytes */
	int64_t time;      /* every time stamp; seconds since 1970, over 0 */
	uint64_t line;     /* the streams' last place, behind all data */
	uint32_t inodes;   /* the highest number in use */
};

/*
 * Nothing of what was written is a file system until ext4_commit(): the first
 * block, with the superblock, is left in *first.
 */
int ext4_finish(struct ext4_writer *w, const struct ext4_final *fin, uint8_t first[4096],
                struct err *err);

#endif
