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

/* Zeroed memory is none. */
struct table_change {
	struct buf head, tail;   /* to be at the disk's start, and its end */
	struct buf was;          /* at its start */
	uint64_t disk;           /* bytes, then */
	uint64_t end;            /* of the partition, in bytes, then */
	uint64_t copy, copy_end; /* bytes of a GPT's copy as it is; 0: not known */
};

/*
 * Let the partition that begins at base end with want at the latest, on a disk
 * of that many bytes; nothing is written. -ERR_UNSUPPORTED: it is not the last
 * one of a table that we can write; -ERR_LIMIT: an MBR cannot say it.
 */
int table_change_plan(struct target *t, uint64_t base, uint64_t disk, uint64_t want,
                      struct table_change *out, struct err *err);
int table_change_write(struct target *t, const struct table_change *c, struct err *err);
/* As it was, at the disk's start. */
int table_change_undo(struct target *t, const struct table_change *c, struct err *err);
void table_change_fini(struct table_change *c);

#endif
