/* SPDX-License-Identifier: MIT */
/*
 * The partition table of a disk that grows: the last partition gets the room.
 *
 *     MBR   one sector, written whole or not at all
 *     GPT   the copy to the disk's new end first, then the one at its start, so
 *           that one of them is whole at any time
 */
#ifndef DOMSTRAP_ENLARGE_TABLE_H
#define DOMSTRAP_ENLARGE_TABLE_H

#include "base/buf.h"
#include "ext4/target.h"

/* Zeroed: no change. */
struct table_change {
	struct buf head, tail;   /* new contents of the disk's start and end */
	struct buf was;          /* old contents of its start */
	uint64_t disk;           /* new size in bytes */
	uint64_t end;            /* new end of the partition, in bytes */
	uint64_t copy, copy_end; /* old position of a GPT's copy, in bytes; 0: not known */
};

/*
 * Let the partition that begins at base end with want at the latest, on a disk
 * of that many bytes; nothing is written. -ERR_UNSUPPORTED: it is not the last
 * one of a table that we can write; -ERR_LIMIT: an MBR cannot say it.
 */
int table_change_plan(struct target *t, uint64_t base, uint64_t disk, uint64_t want,
                      struct table_change *out, struct err *err);
int table_change_write(struct target *t, const struct table_change *c, struct err *err);
/* Write back the old contents of the disk's start. */
int table_change_undo(struct target *t, const struct table_change *c, struct err *err);
void table_change_fini(struct table_change *c);

#endif
