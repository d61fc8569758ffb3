/* SPDX-License-Identifier: MIT */
/*
 * The names in a FAT directory: 11 bytes in every short entry, and long names
 * in entries of their own before it, 13 units of UTF-16 each, last part first.
 */
#ifndef FS_FAT_NAME_H
#define FS_FAT_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define FAT_ENTRY_SIZE 32
#define FAT_LONG_UNITS 13
#define FAT_LONG_PARTS 20

/* A long name on its way. Starts as zeros; entries are FAT_ENTRY_SIZE bytes. */
struct fat_longname {
	uint16_t units[FAT_LONG_PARTS * FAT_LONG_UNITS];
	unsigned next; /* the part expected, 0: all are here */
	bool any;
	uint8_t sum;
};

bool fat_longname_is(const uint8_t *entry);
void fat_longname_part(struct fat_longname *l, const uint8_t *entry);
/* Append the name that belongs to this short entry, if any; then forget it. */
void fat_longname_take(struct fat_longname *l, const uint8_t *entry, struct buf *out);

/* "NAME.EXT", in the case that Windows NT noted. */
void fat_shortname(const uint8_t *entry, struct buf *out);
/* n bytes without the blanks behind them. */
void fat_shortname_trim(const uint8_t *p, size_t n, struct buf *out);

#endif
