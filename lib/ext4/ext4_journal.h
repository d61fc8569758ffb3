/* SPDX-License-Identifier: MIT */
/*
 * Changing a file system all at once, through its own journal, as Linux's jbd2
 * would: whoever comes next (this program, the kernel, e2fsck) sees all of the
 * change or nothing of it.
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
 *     start of the log in the journal's superblock            it has happened
 *     every block to its own place
 *     start 0, next commit's number
 *     "needs recovery" cleared
 *
 * The mark says that the journal's contents are ours and not a guest's: only
 * then we replay it. It names the commit and the superblock's mount count and
 * time, so that it means nothing any more once somebody mounted the file
 * system. Format: jbd2, big endian, see Linux's filesystems/ext4/journal.
 */
#ifndef EXT4_EXT4_JOURNAL_H
#define EXT4_EXT4_JOURNAL_H

#include "disk/ext_super.h"
#include "ext4/ext4_overlay.h"

/* What an earlier, interrupted change left behind. */
enum ext4_left {
	EXT4_LEFT_NOTHING,
	EXT4_LEFT_UNDONE,     /* it had not taken effect; nothing of it is there */
	EXT4_LEFT_FINISHED,   /* it had taken effect, and is complete now */
	EXT4_LEFT_UNREPLAYED, /* not ours: a guest that runs or was killed */
};

/* Read the superblock at base + 1024 into sb[EXT_SUPER_SIZE]; -ERR_FORMAT. */
int ext4_journal_super(struct target *t, uint64_t base, uint64_t size, uint8_t *sb,
                       struct ext_super *out, struct err *err);
/* -ERR_BUSY: the file system was not unmounted; the text says what to do. */
int ext4_journal_not_clean(const struct target *t, uint64_t base, struct err *err);

/*
 * Look for a change that was stopped, and finish or undo it; unless write, only
 * say what is there. size: bytes of the file system's place. A journal that is
 * not whole, or does not fit the file system, is none of ours; nor is a change
 * with a block outside of that place, and nothing of it is written.
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

/* How many blocks one change may have. */
size_t ext4_journal_room(const struct ext4_journal *j);

/*
 * Make the change, n of at most ext4_journal_room() blocks. Everything else
 * that it needs has been written, not synced. After a failure *happened says
 * whether it took effect: then recovery will complete it.
 */
int ext4_journal_commit(struct ext4_journal *j, const struct ext4_change *changes, size_t n,
                        bool *happened, struct err *err);

#endif
