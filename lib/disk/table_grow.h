/* SPDX-License-Identifier: MIT */
/*
 * The partition table of a disk that grows: the last partition gets the room.
 *
 *     MBR   one sector, written whole or not at all
 *     GPT   the copy to the disk's new end first, then the one at its start, so
 *           that one of them is whole at any time
 */
#ifndef DISK_TABLE_GROW_H
#define DISK_TABLE_GROW_H

#include "base/buf.h"
#include "disk/window.h"

/* What is to be written. Zeroed: nothing. */
struct table_growth {
	struct buf head, tail;   /* new contents of the disk's start and end */
	struct buf was;          /* old contents of its start */
	uint64_t disk;           /* new size in bytes */
	uint64_t end;            /* new end of the partition, in bytes */
	uint64_t copy, copy_end; /* old position of a GPT's copy, in bytes; 0: not known */
};

/*
 * Let the partition that begins at base end with want at the latest, on a disk
 * that will have size bytes. -ERR_UNSUPPORTED: it is not the last one of a table that
 * we can write; -ERR_LIMIT: an MBR cannot say it.
 */
int table_grow(const struct window *disk, uint64_t size, uint64_t base, uint64_t want,
               struct table_growth *out, struct err *err);
void table_growth_fini(struct table_growth *c);

#endif
