/* SPDX-License-Identifier: MIT */
#include "disk/mbr.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"

#define ID_AT 440
#define ENTRIES_AT 446
#define ENTRY_SIZE 16
#define SIGNATURE_AT 510
#define HEADS 255u
#define TRACK 63u
#define CYLINDERS 1024u

bool mbr_type_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

static void put_chs(uint8_t *p, uint32_t lba)
{
	uint32_t cylinder = lba / (HEADS * TRACK);
	uint32_t head = lba / TRACK % HEADS;
	uint32_t sector = lba % TRACK + 1;

	if (cylinder >= CYLINDERS) {
		cylinder = CYLINDERS - 1;
		head = HEADS - 1;
		sector = TRACK;
	}
	p[0] = (uint8_t)head;
	p[1] = (uint8_t)(sector | (cylinder >> 8) << 6);
	p[2] = (uint8_t)cylinder;
}

static void entry_put(uint8_t *p, const struct mbr_entry *e)
{
	if (!e->type)
		return;
	p[0] = e->active ? 0x80 : 0;
	put_chs(p + 1, e->start);
	p[4] = e->type;
	put_chs(p + 5, e->start + (e->sectors - 1));
	put_le32(p + 8, e->start);
	put_le32(p + 12, e->sectors);
}

static void entry_get(const uint8_t *p, struct mbr_entry *e)
{
	*e = (struct mbr_entry){.active = p[0] == 0x80,
	                        .type = p[4],
	                        .start = get_le32(p + 8),
	                        .sectors = get_le32(p + 12)};
	if (!e->type || !e->sectors)
		*e = (struct mbr_entry){0};
}

static bool overlap(const struct mbr_entry *a, const struct mbr_entry *b)
{
	return a->type && b->type && a->start < (uint64_t)b->start + b->sectors &&
	       b->start < (uint64_t)a->start + a->sectors;
}

static int entry_check(const struct mbr *mbr, unsigned i, struct err *err)
{
	const struct mbr_entry *e = &mbr->entry[i];

	if (!e->type && !e->sectors)
		return 0;
	if (!e->type)
		return err_set(err, ERR_USAGE, "MBR entry %u: sectors but no type", i + 1);
	if (!e->start || !e->sectors)
		return err_set(err, ERR_USAGE, "MBR entry %u: %" PRIu32 " sectors at %" PRIu32,
		               i + 1, e->sectors, e->start);
	if ((uint64_t)e->start + e->sectors > (uint64_t)UINT32_MAX + 1)
		return err_set(err, ERR_USAGE,
		               "MBR entry %u: %" PRIu32 " sectors at %" PRIu32
		               " end over 2^32 sectors",
		               i + 1, e->sectors, e->start);
	for (unsigned k = 0; k < i; k++)
		if (overlap(e, &mbr->entry[k]))
			return err_set(err, ERR_USAGE, "MBR entry %u overlaps entry %u", i + 1,
			               k + 1);
	return 0;
}

int mbr_format(const struct mbr *mbr, uint8_t out[static MBR_SIZE], struct err *err)
{
	for (unsigned i = 0; i < MBR_PRIMARIES; i++) {
		int rc = entry_check(mbr, i, err);

		if (rc < 0)
			return rc;
	}
	memset(out, 0, MBR_SIZE);
	put_le32(out + ID_AT, mbr->disk_id);
	for (unsigned i = 0; i < MBR_PRIMARIES; i++)
		entry_put(out + ENTRIES_AT + i * ENTRY_SIZE, &mbr->entry[i]);
	out[SIGNATURE_AT] = 0x55;
	out[SIGNATURE_AT + 1] = 0xaa;
	return 0;
}

int mbr_parse(const uint8_t in[static MBR_SIZE], struct mbr *out)
{
	struct mbr mbr = {.disk_id = get_le32(in + ID_AT)};
	unsigned used = 0;

	if (in[SIGNATURE_AT] != 0x55 || in[SIGNATURE_AT + 1] != 0xaa)
		return 1;
	for (unsigned i = 0; i < MBR_PRIMARIES; i++) {
		const uint8_t *p = in + ENTRIES_AT + i * ENTRY_SIZE;

		if (p[0] != 0 && p[0] != 0x80)
			return 1;
		entry_get(p, &mbr.entry[i]);
		used += mbr.entry[i].type != 0;
	}
	if (!used)
		return 1;
	*out = mbr;
	return 0;
}
