/* SPDX-License-Identifier: MIT */
/*
 * The partitions of a disk, whatever kind of table it has: the room's driver
 * over mbr.h and gpt.h.
 */
#ifndef DISK_TABLE_H
#define DISK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "disk/window.h"

/* Logical partitions of an MBR that we follow; Linux gives up at 256 minors. */
#define TABLE_LOGICALS_MAX 124

enum table_kind {
	TABLE_NONE, /* the whole disk may be a file system */
	TABLE_MBR,
	TABLE_GPT,
};

struct table_part {
	unsigned number;    /* as Linux and GRUB count: sda1 and (hd0,1) are 1 */
	uint64_t start;     /* bytes, not yet compared with the disk's size */
	uint64_t size;      /* bytes */
	bool active;        /* MBR: the boot flag */
	uint8_t type;       /* MBR */
	char type_guid[37]; /* GPT, else "" */
	char uuid[37];      /* GPT: own GUID; MBR: disk id, "-", two digits */
	char *label;        /* GPT: UTF-8; never NULL */
};

struct table {
	enum table_kind kind;
	unsigned sector; /* bytes, found or as the window said */
	char uuid[37];   /* of the disk: GUID or eight hex digits */
	size_t n;
	struct table_part *part; /* in order of number */
};

/*
 * Read the partition table of the disk w into *out: free it with table_fini().
 * A disk without one has TABLE_NONE; that is no error. A GPT written for the other
 * sector size than w->sector is found too. Returns 0 or -ERR_*.
 */
int table_read(const struct window *w, struct table *out, struct err *err);
void table_fini(struct table *t);

/* The partition with this number; NULL: none. Borrowed from t. */
const struct table_part *table_find(const struct table *t, unsigned number);

/* The partition's bytes; -ERR_FORMAT where it goes over the disk's end. */
int table_window(const struct table *t, const struct table_part *part, const struct window *disk,
                 struct window *out, struct err *err);

/* "mbr", "gpt" or "none": for people. */
const char *table_kind_name(enum table_kind kind);

#endif
