/* SPDX-License-Identifier: MIT */
#include "enlarge_table.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "disk/gpt.h"
#include "disk/mbr.h"
#include "ext4/ext4_layout.h"

#define SECTOR 512u
#define CODE_SIZE 446u /* of an MBR, before its entries: boot code and disk id */
#define ENTRY_SIZE 16u
#define HEADER_OTHER 32u /* of a GPT's header: the other one's LBA */

static int refuse(const struct target *t, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED,
	               "%s: its partition is neither the last primary one of an MBR nor the last "
	               "of a GPT; enlarge it with another program, then use --size all",
	               t->name);
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

static int plan_mbr(const struct target *t, const struct mbr *mbr, uint64_t base,
                    struct table_change *c, uint64_t want, struct err *err)
{
	uint64_t sectors = (want - base) / SECTOR;
	int i = last_entry(mbr, base);
	uint8_t *entry;

	if (i < 0)
		return refuse(t, err);
	if (sectors > UINT32_MAX - mbr->entry[i].start)
		return err_set(err, ERR_LIMIT, "%s: MBR partitions are limited to 2 TiB", t->name);
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
static void find_copy(struct table_change *c, const struct gpt *gpt, unsigned sector)
{
	const uint8_t *header = (const uint8_t *)c->was.p + sector;
	uint64_t last = gpt->from_copy ? c->disk / sector - 1 : get_le64(header + HEADER_OTHER);

	if (last >= c->disk / sector)
		return;
	c->copy_end = (last + 1) * sector;
	c->copy = MIN(usable_end(c->copy_end, sector), c->copy_end);
}

static int grow_entry(const struct target *t, struct gpt *gpt, uint64_t base, unsigned sector,
                      struct table_change *c, uint64_t want, struct err *err)
{
	struct gpt_entry *found = NULL;

	for (size_t i = 0; i < gpt->n; i++) {
		if (gpt->entry[i].first == base / sector)
			found = &gpt->entry[i];
		else if (gpt->entry[i].first > base / sector)
			return refuse(t, err);
	}
	if (!found)
		return refuse(t, err);
	c->end = MIN(want, usable_end(c->disk, sector)) / EXT4_BLOCK * EXT4_BLOCK;
	c->end = MAX(c->end, (found->last + 1) * sector);
	found->last = c->end / sector - 1;
	return 0;
}

static int plan_gpt(struct target *t, struct gpt *gpt, uint64_t base, unsigned sector,
                    struct table_change *c, uint64_t want, struct err *err)
{
	int rc = grow_entry(t, gpt, base, sector, c, want, err);

	if (rc < 0)
		return rc;
	rc = gpt_format(gpt, c->disk / sector, sector, &c->head, &c->tail, err);
	if (rc < 0) {
		err_prefix(err, "%s: its GPT cannot be written again", t->name);
		err->code = ERR_UNSUPPORTED;
		return -ERR_UNSUPPORTED;
	}
	memcpy(c->head.p, c->was.p, CODE_SIZE);
	find_copy(c, gpt, sector);
	return 0;
}

/* ---- either ------------------------------------------------------------------- */

static int read_head(struct target *t, size_t n, struct table_change *c, struct err *err)
{
	return target_read(t, buf_zeros(&c->was, n), n, 0, err);
}

static int plan(struct target *t, uint64_t base, uint64_t want, struct table_change *c,
                struct err *err)
{
	unsigned sector = t->sector ? t->sector : SECTOR;
	struct source_fd src;
	struct window disk;
	struct gpt gpt;
	struct mbr mbr;
	int rc = read_head(t, (GPT_ENTRIES_USUAL * 128u) + 2 * (size_t)sector, c, err);

	if (rc < 0)
		return rc;
	if (mbr_parse((const uint8_t *)c->was.p, &mbr) != 0)
		return refuse(t, err);
	if (mbr.entry[0].type != MBR_TYPE_GPT)
		return plan_mbr(t, &mbr, base, c, want, err);
	/* A hybrid MBR was made by hand: do not touch it. */
	for (int i = 1; i < MBR_PRIMARIES; i++)
		if (mbr.entry[i].type)
			return refuse(t, err);
	source_fd_init(&src, t->fd, t->name);
	disk = window_over(&src.src, t->size, t->name);
	disk.sector = sector;
	rc = gpt_read(&disk, &gpt, err);
	if (rc)
		return rc < 0 ? rc : refuse(t, err);
	rc = plan_gpt(t, &gpt, base, sector, c, want, err);
	gpt_fini(&gpt);
	return rc;
}

int table_change_plan(struct target *t, uint64_t base, uint64_t disk, uint64_t want,
                      struct table_change *out, struct err *err)
{
	struct table_change c = {.disk = disk};
	int rc = plan(t, base, want, &c, err);

	if (rc < 0)
		table_change_fini(&c);
	else
		*out = c;
	return rc;
}

int table_change_write(struct target *t, const struct table_change *c, struct err *err)
{
	int rc = 0;

	if (c->tail.n)
		rc = target_write_small(t, c->tail.p, c->tail.n, c->disk - c->tail.n, err);
	if (rc == 0 && c->tail.n)
		rc = target_sync(t, err);
	if (rc == 0)
		rc = target_write_small(t, c->head.p, c->head.n, 0, err);
	return rc < 0 ? rc : target_sync(t, err);
}

int table_change_undo(struct target *t, const struct table_change *c, struct err *err)
{
	return c->head.n ? target_write_small(t, c->was.p, c->was.n, 0, err) : 0;
}

void table_change_fini(struct table_change *c)
{
	buf_fini(&c->head);
	buf_fini(&c->tail);
	buf_fini(&c->was);
}
