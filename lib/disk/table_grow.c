/* SPDX-License-Identifier: MIT */
#include "disk/table_grow.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "disk/gpt.h"
#include "disk/mbr.h"

#define SECTOR 512u
#define GRAIN 4096u    /* a GPT partition's end is a multiple: a block of its file system */
#define CODE_SIZE 446u /* of an MBR, before its entries: boot code and disk id */
#define ENTRY_SIZE 16u
#define HEADER_OTHER 32u /* of a GPT's header: the other one's LBA */

static int refuse(const struct window *disk, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED,
	               "%s: its partition is neither the last primary one of an MBR nor the last "
	               "of a GPT; enlarge it with another program, then use --size all",
	               disk->name);
}

/* ---- MBR ---------------------------------------------------------------------- */

/* The entry of the partition at base, which must be the last on the disk; or -1. */
static int last_entry(const struct mbr *mbr, uint64_t base)
{
	int found = -1;

	for (int i = 0; i < MBR_PRIMARIES; i++) {
		uint64_t start = (uint64_t)mbr->entry[i].start * SECTOR;

		if (!mbr->entry[i].type)
			continue;
		if (start == base)
			found = i;
		else if (start > base)
			return -1;
	}
	return found;
}

static int plan_mbr(const struct window *disk, const struct mbr *mbr, uint64_t base,
                    struct table_growth *c, uint64_t want, struct err *err)
{
	uint64_t sectors = (want - base) / SECTOR;
	int i = last_entry(mbr, base);
	uint8_t *entry;

	if (i < 0)
		return refuse(disk, err);
	if (sectors > UINT32_MAX - mbr->entry[i].start)
		return err_set(err, ERR_LIMIT, "%s: MBR partitions are limited to 2 TiB",
		               disk->name);
	buf_put(&c->head, c->was.p, SECTOR);
	entry = (uint8_t *)c->head.p + CODE_SIZE + ENTRY_SIZE * (unsigned)i;
	memcpy(entry + 5, "\xfe\xff\xff", 3); /* beyond what CHS can say */
	put_le32(entry + 12, (uint32_t)sectors);
	c->end = want;
	return 0;
}

/* ---- GPT ---------------------------------------------------------------------- */

/* The last usable byte's end, of a table of the usual length. */
static uint64_t usable_end(uint64_t disk, unsigned sector)
{
	uint64_t span = ((uint64_t)GPT_ENTRIES_USUAL * 128 + sector - 1) / sector;

	return (disk / sector - 1 - span) * sector;
}

/* The position of the other header by the first one: at the disk's former end. */
static void find_copy(struct table_growth *c, const struct gpt *gpt, unsigned sector)
{
	const uint8_t *header = (const uint8_t *)c->was.p + sector;
	uint64_t last = gpt->from_copy ? c->disk / sector - 1 : get_le64(header + HEADER_OTHER);

	if (last >= c->disk / sector)
		return;
	c->copy_end = (last + 1) * sector;
	c->copy = MIN(usable_end(c->copy_end, sector), c->copy_end);
}

static int grow_entry(const struct window *disk, struct gpt *gpt, uint64_t base,
                      struct table_growth *c, uint64_t want, struct err *err)
{
	struct gpt_entry *found = NULL;
	unsigned sector = disk->sector;

	for (size_t i = 0; i < gpt->n; i++) {
		if (gpt->entry[i].first == base / sector)
			found = &gpt->entry[i];
		else if (gpt->entry[i].first > base / sector)
			return refuse(disk, err);
	}
	if (!found)
		return refuse(disk, err);
	c->end = MIN(want, usable_end(c->disk, sector)) / GRAIN * GRAIN;
	c->end = MAX(c->end, (found->last + 1) * sector);
	found->last = c->end / sector - 1;
	return 0;
}

static int plan_gpt(const struct window *disk, struct gpt *gpt, uint64_t base,
                    struct table_growth *c, uint64_t want, struct err *err)
{
	int rc = grow_entry(disk, gpt, base, c, want, err);

	if (rc < 0)
		return rc;
	rc = gpt_format(gpt, c->disk / disk->sector, disk->sector, &c->head, &c->tail, err);
	if (rc < 0) {
		err_prefix(err, "%s: its GPT cannot be written again", disk->name);
		err->code = ERR_UNSUPPORTED;
		return -ERR_UNSUPPORTED;
	}
	memcpy(c->head.p, c->was.p, CODE_SIZE);
	find_copy(c, gpt, disk->sector);
	return 0;
}

/* ---- either ------------------------------------------------------------------- */

static int plan(const struct window *disk, uint64_t base, uint64_t want, struct table_growth *c,
                struct err *err)
{
	size_t head = GPT_ENTRIES_USUAL * 128u + 2 * (size_t)disk->sector;
	struct gpt gpt;
	struct mbr mbr;
	int rc = window_read(disk, buf_zeros(&c->was, head), head, 0, err);

	if (rc < 0)
		return rc;
	if (mbr_parse((const uint8_t *)c->was.p, &mbr) != 0)
		return refuse(disk, err);
	if (mbr.entry[0].type != MBR_TYPE_GPT)
		return plan_mbr(disk, &mbr, base, c, want, err);
	/* A hybrid MBR was made by hand: do not touch it. */
	for (int i = 1; i < MBR_PRIMARIES; i++)
		if (mbr.entry[i].type)
			return refuse(disk, err);
	rc = gpt_read(disk, &gpt, err);
	if (rc)
		return rc < 0 ? rc : refuse(disk, err);
	rc = plan_gpt(disk, &gpt, base, c, want, err);
	gpt_fini(&gpt);
	return rc;
}

int table_grow(const struct window *disk, uint64_t size, uint64_t base, uint64_t want,
               struct table_growth *out, struct err *err)
{
	struct table_growth c = {.disk = size};
	int rc = plan(disk, base, want, &c, err);

	if (rc < 0)
		table_growth_fini(&c);
	else
		*out = c;
	return rc;
}

void table_growth_fini(struct table_growth *c)
{
	buf_fini(&c->head);
	buf_fini(&c->tail);
	buf_fini(&c->was);
}
