/* SPDX-License-Identifier: MIT */
/*
 * Changing a file system atomically, through its own journal, like Linux's jbd2:
 * after an interruption this program, Linux and e2fsck see either the whole
 * change or none of it.
 *
 *     block 0   superblock: first block of the log, number of the next commit
 *     1         descriptor: which blocks follow, where they belong
 *     2 ...     the blocks; after 339 of them one more descriptor
 *     n         commit
 *
 * The order, each line synced before the next:
 *
 *     log, and our mark in the journal's superblock
 *     "needs recovery" in the file system's superblock
 *     start of the log in the journal's superblock            committed
 *     every block to its own place
 *     start 0, next commit's number
 *     "needs recovery" cleared
 *
 * The mark says that the transaction is ours and not a guest's: only then we
 * replay it. It contains the commit number and the superblock's mount count and
 * time, so it becomes invalid when the file system is mounted. Format: jbd2, big
 * endian, see Linux's filesystems/ext4/journal.
 */
#ifndef EXT4_EXT4_JOURNAL_H
#define EXT4_EXT4_JOURNAL_H

#include "disk/ext_super.h"
#include "ext4/ext4_overlay.h"

/* What an earlier, interrupted change left behind. */
enum ext4_left {
	EXT4_LEFT_NOTHING,
	EXT4_LEFT_UNDONE,     /* it was not committed; nothing of it is there */
	EXT4_LEFT_FINISHED,   /* it was committed, and is now complete */
	EXT4_LEFT_UNREPLAYED, /* not ours: a guest is running or was killed */
};

/* Read the superblock at base + 1024 into sb[EXT_SUPER_SIZE]; -ERR_FORMAT. */
int ext4_journal_super(struct target *t, uint64_t base, uint64_t size, uint8_t *sb,
                       struct ext_super *out, struct err *err);
/* -ERR_BUSY: the file system was not unmounted; the text says what to do. */
int ext4_journal_not_clean(const struct target *t, uint64_t base, struct err *err);

/*
 * Look for an interrupted change, and complete or discard it; without write, only
 * report it. size: bytes of the file system's part of the disk. An incomplete
 * journal, one that does not match the file system, and a change with a block
 * outside that part are not ours, and nothing of them is written.
 * -ERR_FORMAT: not a file system of this kind.
 */
int ext4_journal_recover(struct target *t, uint64_t base, uint64_t size, bool write,
                         enum ext4_left *out, struct err *err);

/* A clean journal of an open file system. */
struct ext4_journal {
	struct target *target;
	uint64_t base;
	uint64_t fs_blocks; /* nothing is written behind them */
	uint32_t block;     /* bytes */
	uint64_t *map;      /* physical block of each of its blocks; owned */
	uint32_t n;
	uint32_t first, sequence, start;
	uint8_t super[1024];
};

/* -ERR_UNSUPPORTED: it has none, or one that we cannot use. */
int ext4_journal_open(struct target *t, uint64_t base, ext2_filsys fs, struct ext4_journal *out,
                      struct err *err);
void ext4_journal_fini(struct ext4_journal *j);

/* The maximum number of blocks of a change. */
size_t ext4_journal_room(const struct ext4_journal *j);

/*
 * Commit a change of n blocks, at most ext4_journal_room(). All other blocks that
 * it refers to must be written, but need not be synced. After a failure *happened
 * says whether it was committed: then recovery will complete it.
 */
int ext4_journal_commit(struct ext4_journal *j, const struct ext4_change *changes, size_t n,
                        bool *happened, struct err *err);

#endif
