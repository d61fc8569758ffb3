/* SPDX-License-Identifier: MIT */
/*
 * How long a stretch ext4_stream_tree() will take for a walk: blocks of the
 * line and inodes, exactly.
 */
#ifndef EXT4_EXT4_COUNT_H
#define EXT4_EXT4_COUNT_H

#include "base/walk.h"
#include "ext4/ext4_disk.h"

struct ext4_tally {
	uint64_t blocks; /* of the line */
	uint64_t inodes; /* without those that have a handle */
	uint64_t bytes;  /* of file contents */
};

/* Names and hash trees need the ids. One counter serves many trees. */
struct ext4_counter;

struct ext4_counter *ext4_counter_new(const struct ext4_ids *ids);
void ext4_counter_free(struct ext4_counter *c);
void ext4_counter_freep(struct ext4_counter **c);

/* Add the walk's whole tree to *sum. Files are not read. */
int ext4_count_tree(struct ext4_counter *c, struct walk *walk, struct ext4_tally *sum,
                    struct err *err);

#endif
