/* SPDX-License-Identifier: MIT */
/*
 * One member of a Linux software RAID1 (md): each has all of the data (Linux, md_p.h).
 *
 *     metadata 0.90    in the last 64 KiB, aligned to them; data from the start on
 *     metadata 1.0     8 KiB before the end, aligned to 4 KiB; data from the start on
 *     metadata 1.1     at the start, 1.2: at 4 KiB; data further on
 */
#ifndef DISK_MD_H
#define DISK_MD_H

#include "disk/window.h"

/* What a member says of its array. */
struct md_array {
	char uuid[33];   /* 32 hex digits, as GRUB has them */
	char name[33];   /* without the host's; "": it has none (0.90) */
	uint64_t events; /* changes that this member took part in */
};

/*
 * The data of a RAID1's member, into *out, which may be w; its window is fixed. array may be NULL.
 * 0; 1: w is no such member, or is a spare, has failed, or was not rebuilt yet; -ERR_*: it cannot
 * be read, or its data is outside of w.
 */
int md_mirror(const struct window *w, struct window *out, struct md_array *array, struct err *err);

#endif
