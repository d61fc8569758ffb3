/* SPDX-License-Identifier: MIT */
#include "disk/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "disk/gpt.h"
#include "disk/mbr.h"
#include "disk/utf16.h"

struct draft {
	struct table t;
	size_t cap;
};

static struct table_part *part_add(struct draft *d, unsigned number, uint64_t start, uint64_t size)
{
	struct table_part *p;

	GROW(d->t.part, d->t.n, d->cap);
	p = &d->t.part[d->t.n++];
	*p = (struct table_part){.number = number, .start = start, .size = size};
	return p;
}

static char *label_of(const uint16_t *units, size_t n)
{
	struct buf b = BUF_INIT;

	utf16_put(&b, units, n);
	return buf_steal(&b);
}

static int gpt_try(const struct window *disk, unsigned sector, struct draft *d, struct err *err)
{
	struct window w = *disk;
	struct gpt gpt;
	int rc;

	w.sector = sector;
	rc = gpt_read(&w, &gpt, err);
	if (rc != 0)
		return rc;
	d->t.kind = TABLE_GPT;
	d->t.sector = sector;
	gpt_guid_format(gpt.guid, d->t.uuid);
	for (size_t i = 0; i < gpt.n; i++) {
		const struct gpt_entry *e = &gpt.entry[i];
		struct table_part *p;

		/* A sector whose byte offset overflows is beyond the end of any disk. */
		if (e->last >= (uint64_t)INT64_MAX / sector)
			continue;
		p = part_add(d, e->number, e->first * sector, (e->last - e->first + 1) * sector);
		gpt_guid_format(e->type, p->type_guid);
		gpt_guid_format(e->guid, p->uuid);
		p->label = label_of(e->name, GPT_NAME_UNITS);
	}
	gpt_fini(&gpt);
	return 0;
}

/* The table in an MBR's sector 0 is needed only to say that there is a GPT. */
static int gpt_probe(const struct window *w, struct draft *d, struct err *err)
{
	uint8_t sector0[MBR_SIZE];
	struct mbr mbr;
	bool protective = false;
	int rc = window_read(w, sector0, sizeof sector0, 0, err);

	if (rc < 0)
		return rc;
	if (mbr_parse(sector0, &mbr) == 0)
		for (unsigned i = 0; i < MBR_PRIMARIES; i++)
			protective |= mbr.entry[i].type == MBR_TYPE_GPT;
	if (!protective)
		return 1;
	rc = gpt_try(w, w->sector, d, err);
	if (rc == 1)
		rc = gpt_try(w, w->sector == 512 ? 4096 : 512, d, err);
	return rc;
}

static void mbr_add(struct draft *d, uint32_t id, unsigned number, uint64_t lba,
                    const struct mbr_entry *e)
{
	uint64_t sector = d->t.sector;
	struct table_part *p = part_add(d, number, lba * sector, e->sectors * sector);

	p->active = e->active;
	p->type = e->type;
	snprintf(p->uuid, sizeof p->uuid, "%08" PRIx32 "-%02x", id, number);
	p->label = xstrdup("");
}

/* Where the chain goes on: the link's distance from the extended partition. */
static const struct mbr_entry *link_of(const struct mbr *m)
{
	for (unsigned i = 0; i < MBR_PRIMARIES; i++)
		if (mbr_type_extended(m->entry[i].type))
			return &m->entry[i];
	return NULL;
}

static int logicals_read(const struct window *w, struct draft *d, uint32_t id,
                         const struct mbr_entry *ext, struct err *err)
{
	uint64_t at = ext->start;
	unsigned number = MBR_PRIMARIES + 1;

	for (unsigned i = 0; i < TABLE_LOGICALS_MAX; i++) {
		uint8_t bytes[MBR_SIZE];
		const struct mbr_entry *link;
		struct mbr m;
		int rc = window_read(w, bytes, sizeof bytes, at * d->t.sector, err);

		if (rc < 0)
			return err_prefix(err, "MBR: logical partition %u", number);
		if (mbr_parse(bytes, &m) != 0)
			return 0;
		if (m.entry[0].type && !mbr_type_extended(m.entry[0].type))
			mbr_add(d, id, number++, at + m.entry[0].start, &m.entry[0]);
		link = link_of(&m);
		if (!link)
			return 0;
		at = (uint64_t)ext->start + link->start;
	}
	return err_set(err, ERR_LIMIT,
	               "%s: MBR: more than %d logical partitions, or a loop of them", w->name,
	               TABLE_LOGICALS_MAX);
}

static int mbr_probe(const struct window *w, struct draft *d, struct err *err)
{
	uint8_t sector0[MBR_SIZE];
	const struct mbr_entry *ext = NULL;
	struct mbr mbr;
	int rc = window_read(w, sector0, sizeof sector0, 0, err);

	if (rc < 0)
		return rc;
	if (mbr_parse(sector0, &mbr) != 0)
		return 1;
	d->t.kind = TABLE_MBR;
	d->t.sector = w->sector;
	snprintf(d->t.uuid, sizeof d->t.uuid, "%08" PRIx32, mbr.disk_id);
	for (unsigned i = 0; i < MBR_PRIMARIES; i++) {
		if (!mbr.entry[i].type)
			continue;
		mbr_add(d, mbr.disk_id, i + 1, mbr.entry[i].start, &mbr.entry[i]);
		if (!ext && mbr_type_extended(mbr.entry[i].type))
			ext = &mbr.entry[i];
	}
	return ext ? logicals_read(w, d, mbr.disk_id, ext, err) : 0;
}

/* GPT first: its sector 0 is a valid MBR. */
static const struct {
	enum table_kind kind;
	const char *name;
	int (*probe)(const struct window *w, struct draft *d, struct err *err);
} kinds[] = {
        {TABLE_GPT, "gpt", gpt_probe},
        {TABLE_MBR, "mbr", mbr_probe},
};

int table_read(const struct window *w, struct table *out, struct err *err)
{
	struct draft d = {.t = {.kind = TABLE_NONE, .sector = w->sector}};

	if (!window_sector_valid(w->sector))
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: sectors of %u bytes, expected 512 or 4096", w->name, w->sector);
	if (w->size < MBR_SIZE) {
		*out = d.t;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		int rc = kinds[i].probe(w, &d, err);

		if (rc < 0) {
			table_fini(&d.t);
			return rc;
		}
		if (rc == 0)
			break;
	}
	*out = d.t;
	return 0;
}

void table_fini(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->part[i].label);
	free(t->part);
	*t = (struct table){0};
}

const struct table_part *table_find(const struct table *t, unsigned number)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->part[i].number == number)
			return &t->part[i];
	return NULL;
}

int table_window(const struct table *t, const struct table_part *part, const struct window *disk,
                 struct window *out, struct err *err)
{
	int rc = window_sub(disk, part->start, part->size, out, err);

	if (rc < 0)
		return err_prefix(err, "partition %u", part->number);
	out->sector = t->sector;
	return 0;
}

const char *table_kind_name(enum table_kind kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].kind == kind)
			return kinds[i].name;
	return "none";
}
