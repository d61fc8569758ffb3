/* SPDX-License-Identifier: MIT */
/*
 * A partition table that is written again, larger: a GPT with right CRCs, or an MBR.
 *
 *     input = u8 flags, u8 entries, le16 sectors of the disk, le16 more sectors, u8 which
 *             partition grows, { le16 length, le16 gap } for each entry, patches
 *     patch = le16 offset, u8 value        in the first sectors; CRCs are right again after it
 *
 * If it can be grown, the new table has the same entries, but for the end of one; and both copies
 * of a GPT agree.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "disk/gpt.h"
#include "disk/mbr.h"
#include "disk/table_grow.h"

#define ENTRIES_MAX 6
#define SECTORS_MIN 100 /* more than both copies of a GPT */
#define HEAD_SECTORS 34
#define HEADER_SIZE 92
#define NAME_AT 'a'

enum { LARGE_SECTORS = 1, MBR = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

struct disk {
	unsigned sector;
	uint64_t sectors, more;
	uint8_t *p; /* of both together */
	struct source_mem src;
	struct window w;
};

static void look_at(struct disk *d, uint64_t sectors)
{
	source_mem_init(&d->src, d->p, sectors * d->sector);
	d->w = window_over(&d->src.src, sectors * d->sector, "disk");
	d->w.sector = d->sector;
}

static void put(struct disk *d, const struct buf *b, uint64_t at)
{
	must(at + b->n <= (d->sectors + d->more) * d->sector);
	memcpy(d->p + at, b->p, b->n);
}

/* ---- the old table -------------------------------------------------------- */

static bool make_gpt(struct disk *d, size_t n, struct bytes *b)
{
	_cleanup_(buf_fini) struct buf head = BUF_INIT, tail = BUF_INIT;
	struct gpt_entry entry[ENTRIES_MAX] = {{.number = 0}};
	struct gpt gpt = {.n = n, .entry = entry};
	uint64_t at = HEAD_SECTORS;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		struct gpt_entry *e = &entry[i];

		e->number = (unsigned)i + 1;
		e->type[0] = e->guid[0] = (uint8_t)(i + 1);
		e->name[0] = (uint16_t)(NAME_AT + i);
		e->first = at + bytes_le16(b) % 64;
		e->last = e->first + bytes_le16(b) % 64;
		at = e->last + 1;
	}
	if (gpt_format(&gpt, d->sectors, d->sector, &head, &tail, &err) < 0)
		return false;
	put(d, &head, 0);
	put(d, &tail, d->sectors * d->sector - tail.n);
	return true;
}

static bool make_mbr(struct disk *d, size_t n, struct bytes *b)
{
	struct mbr mbr = {.disk_id = 7};
	struct err err = ERR_INIT;
	uint32_t at = 1;

	for (size_t i = 0; i < MIN(n, (size_t)MBR_PRIMARIES); i++) {
		mbr.entry[i] = (struct mbr_entry){.type = MBR_TYPE_LINUX,
		                                  .start = at + bytes_le16(b) % 64,
		                                  .sectors = 1 + bytes_le16(b) % 64};
		at = mbr.entry[i].start + mbr.entry[i].sectors;
	}
	return mbr_format(&mbr, d->p, &err) == 0;
}

/* The CRCs of the first header. */
static void sum(struct disk *d)
{
	uint8_t *header = d->p + d->sector;
	uint64_t entries = get_le64(header + 72), span = d->sectors * d->sector;
	uint64_t bytes = (uint64_t)get_le32(header + 80) * get_le32(header + 84);

	if (get_le32(header + 12) != HEADER_SIZE || entries >= d->sectors)
		return;
	if (bytes > span - entries * d->sector)
		return;
	put_le32(header + 88, gpt_crc(d->p + entries * d->sector, (size_t)bytes));
	put_le32(header + 16, 0);
	put_le32(header + 16, gpt_crc(header, HEADER_SIZE));
}

static void patch(struct disk *d, struct bytes *b)
{
	while (bytes_left(b) >= 3) {
		size_t at = bytes_le16(b) % (HEAD_SECTORS * 512u);

		d->p[at] = bytes_u8(b);
	}
}

/* ---- the new one ---------------------------------------------------------- */

static void same_gpt(const struct gpt *was, const struct gpt *is, uint64_t grown, uint64_t end)
{
	must(was->n == is->n && !memcmp(was->guid, is->guid, sizeof was->guid));
	for (size_t i = 0; i < was->n; i++) {
		struct gpt_entry e = was->entry[i];

		if (e.first == grown) {
			must(end > e.last);
			e.last = end - 1;
		}
		must(!memcmp(&e, &is->entry[i], sizeof e));
	}
}

static void check_gpt(struct disk *d, const struct gpt *was, uint64_t base, uint64_t end)
{
	struct err err = ERR_INIT;
	struct gpt is, copy;

	look_at(d, d->sectors + d->more);
	must(gpt_read(&d->w, &is, &err) == 0 && !is.from_copy);
	same_gpt(was, &is, base / d->sector, end / d->sector);
	memset(d->p + d->sector, 0, d->sector);
	must(gpt_read(&d->w, &copy, &err) == 0 && copy.from_copy);
	same_gpt(&is, &copy, UINT64_MAX, 0);
	gpt_fini(&is);
	gpt_fini(&copy);
}

static void check_mbr(struct disk *d, const struct mbr *was, uint64_t base, uint64_t end)
{
	struct mbr is;

	must(mbr_parse(d->p, &is) == 0 && was->disk_id == is.disk_id);
	for (size_t i = 0; i < MBR_PRIMARIES; i++) {
		struct mbr_entry e = was->entry[i];

		if (e.type && (uint64_t)e.start * 512 == base)
			e.sectors = (uint32_t)(end / 512) - e.start;
		else
			must(!e.type || (uint64_t)e.start * 512 < base);
		must(e.type == is.entry[i].type && e.start == is.entry[i].start &&
		     e.sectors == is.entry[i].sectors && e.active == is.entry[i].active);
	}
}

/* Where the partition begins that grows: the last, or any other. */
static uint64_t choose(const struct gpt *gpt, const struct mbr *mbr, const struct disk *d,
                       unsigned which)
{
	if (gpt && gpt->n)
		return gpt->entry[which < 128 ? gpt->n - 1 : which % gpt->n].first * d->sector;
	return mbr ? (uint64_t)mbr->entry[which % MBR_PRIMARIES].start * 512 : 0;
}

static void grow(struct disk *d, unsigned which)
{
	uint64_t size = (d->sectors + d->more) * d->sector, base;
	struct table_growth c = {.disk = 0};
	struct err err = ERR_INIT;
	struct gpt gpt = {.n = 0};
	struct mbr mbr;
	bool is_mbr = mbr_parse(d->p, &mbr) == 0 && mbr.entry[0].type != MBR_TYPE_GPT;

	look_at(d, d->sectors);
	if (!is_mbr && gpt_read(&d->w, &gpt, &err) != 0)
		return;
	base = choose(is_mbr ? NULL : &gpt, is_mbr ? &mbr : NULL, d, which);
	if (base < size && table_grow(&d->w, size, base, size, &c, &err) == 0) {
		must(c.end <= size);
		if (c.tail.n)
			put(d, &c.tail, size - c.tail.n);
		put(d, &c.head, 0);
		if (is_mbr)
			check_mbr(d, &mbr, base, c.end);
		else
			check_gpt(d, &gpt, base, c.end);
	}
	table_growth_fini(&c);
	gpt_fini(&gpt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = bytes_over(data, size);
	unsigned flags = bytes_u8(&b), n = bytes_u8(&b) % (ENTRIES_MAX + 1), which;
	struct disk d = {.sector = flags & LARGE_SECTORS ? 4096 : 512};
	bool made;

	d.sectors = SECTORS_MIN + bytes_le16(&b) % 400;
	d.more = bytes_le16(&b) % 400;
	which = bytes_u8(&b);
	d.p = xcalloc(d.sectors + d.more, d.sector);
	made = flags & MBR ? make_mbr(&d, n, &b) : make_gpt(&d, n, &b);
	if (made) {
		patch(&d, &b);
		if (!(flags & MBR))
			sum(&d);
		grow(&d, which);
	}
	free(d.p);
	return 0;
}
