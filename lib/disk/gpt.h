/* SPDX-License-Identifier: MIT */
/*
 * The GUID partition table (UEFI 2.10, section 5.3). Numbers are little endian,
 * LBAs count sectors of 512 or 4096 bytes.
 *
 *     LBA 0   protective MBR: one entry of type EE
 *     LBA 1   header            its copy: the last LBA
 *     LBA 2   entries           their copy: before it
 *
 *     header:   0  8 "EFI PART"     8  4 revision    12 4 size of the header
 *              16  4 CRC of it     24  8 this LBA    32 8 the other header's
 *              40  8 first usable  48  8 last usable 56 16 disk GUID
 *              72  8 entries' LBA  80  4 how many    84 4 size of one
 *              88  4 CRC of all entries
 *     entry:    0 16 type GUID     16 16 own GUID    32 8 first LBA
 *              40  8 last LBA      48  8 flags       56 72 name, UTF-16
 */
#ifndef DISK_GPT_H
#define DISK_GPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "disk/window.h"

/* The largest number of entries that we accept; tools write 128. */
#define GPT_ENTRIES_MAX 1024
#define GPT_ENTRIES_USUAL 128
#define GPT_GUID_SIZE 16
#define GPT_NAME_UNITS 36

struct gpt_entry {
	unsigned number; /* from 1: the slot, for gaps are allowed */
	uint8_t type[GPT_GUID_SIZE];
	uint8_t guid[GPT_GUID_SIZE];
	uint64_t first, last; /* LBAs, both inside the partition */
	uint64_t flags;
	uint16_t name[GPT_NAME_UNITS];
};

struct gpt {
	uint8_t guid[GPT_GUID_SIZE];
	bool from_copy; /* the primary header is bad; this is from the backup */
	size_t n;
	struct gpt_entry *entry; /* the used ones, ours */
};

/*
 * Read the table of the disk w, whose sector size is w->sector, into *out: free
 * it with gpt_fini(). The copy is taken where the first header or its entries
 * are damaged. Returns 0; 1 where neither place has a header; -ERR_FORMAT for
 * two damaged ones or an entry that breaks the rules.
 */
int gpt_read(const struct window *w, struct gpt *out, struct err *err);
void gpt_fini(struct gpt *gpt);

/*
 * What to write for gpt on a disk of that many sectors: head goes to its start
 * (protective MBR, header, entries), tail ends with its last sector. Refused
 * (-ERR_USAGE): entries outside the usable sectors, overlapping, ending before
 * they start, or with a number not in 1..128.
 */
int gpt_format(const struct gpt *gpt, uint64_t sectors, unsigned sector, struct buf *head,
               struct buf *tail, struct err *err);

/* "0fc63daf-8483-4772-8e79-3d69d8477de4" */
void gpt_guid_format(const uint8_t guid[static GPT_GUID_SIZE], char out[static 37]);

/* The CRC-32 of Ethernet and zlib, which the headers use. */
uint32_t gpt_crc(const void *p, size_t n);

#endif
