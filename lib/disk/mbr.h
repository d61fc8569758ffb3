/* SPDX-License-Identifier: MIT */
/*
 * The PC's partition table in sector 0.
 *
 *     440  4  disk identifier
 *     446     four entries of 16 bytes
 *     510  2  55 AA
 *
 *     entry:  0 1 flag (00 or 80)   1 3 first CHS   4 1 type   5 3 last CHS
 *             8 4 first sector     12 4 sectors
 *
 * An extended partition (type 05, 0F, 85) holds a chain of such sectors. Each
 * has one logical partition, counted from that sector, and a link to the next,
 * counted from the start of the extended partition. Logical ones are numbered
 * from 5.
 */
#ifndef DISK_MBR_H
#define DISK_MBR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define MBR_SIZE 512
#define MBR_PRIMARIES 4

#define MBR_TYPE_LINUX 0x83
#define MBR_TYPE_GPT 0xee

/* start and sectors are in sectors; type 0 is an unused entry. */
struct mbr_entry {
	bool active;
	uint8_t type;
	uint32_t start;
	uint32_t sectors;
};

struct mbr {
	uint32_t disk_id;
	struct mbr_entry entry[MBR_PRIMARIES];
};

/*
 * The 512 bytes of sector 0, without boot code; CHS for 255 heads and 63
 * sectors, as usual. Refused (-ERR_USAGE): an entry with sectors
 * but no type, one that starts at 0, is empty, ends over 2^32 sectors, or
 * overlaps another.
 */
int mbr_format(const struct mbr *mbr, uint8_t out[static MBR_SIZE], struct err *err);

/*
 * 0 and *out, or 1: these bytes are no such table (no signature, a flag that is
 * neither 00 nor 80, or no entry in use). The sizes are not checked.
 */
int mbr_parse(const uint8_t in[static MBR_SIZE], struct mbr *out);

bool mbr_type_extended(uint8_t type);

#endif
