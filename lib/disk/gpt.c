/* SPDX-License-Identifier: MIT */
#include "disk/gpt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "disk/mbr.h"

#define SIGNATURE "EFI PART"
#define REVISION_1 0x00010000u
#define HEADER_SIZE 92
#define ENTRY_SIZE 128
#define ENTRY_SIZE_MAX 4096
#define SECTOR_MAX 4096

struct header {
	uint64_t lba, other, first, last, entries;
	uint32_t count, entry_size, entries_crc;
	uint8_t guid[GPT_GUID_SIZE];
};

uint32_t gpt_crc(const void *p, size_t n)
{
	return ~crc32_le(~0u, p, n);
}

void gpt_guid_format(const uint8_t guid[static GPT_GUID_SIZE], char out[static 37])
{
	/* The first three fields are little endian (UEFI, appendix A). */
	snprintf(out, 37, "%08" PRIx32 "-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
	         get_le32(guid), get_le16(guid + 4), get_le16(guid + 6), guid[8], guid[9], guid[10],
	         guid[11], guid[12], guid[13], guid[14], guid[15]);
}

static bool guid_zero(const uint8_t guid[static GPT_GUID_SIZE])
{
	static const uint8_t zero[GPT_GUID_SIZE];

	return memcmp(guid, zero, sizeof zero) == 0;
}

static bool entry_size_valid(uint32_t size)
{
	/* 128 times a power of two, says the specification. */
	return size >= ENTRY_SIZE && size <= ENTRY_SIZE_MAX && (size & (size - 1)) == 0;
}

static bool header_crc_valid(uint8_t *sector, uint32_t size)
{
	uint32_t want = get_le32(sector + 16);

	put_le32(sector + 16, 0);
	return gpt_crc(sector, size) == want;
}

static void header_get(const uint8_t *sector, size_t n, struct header *h)
{
	struct bytes b = bytes_over(sector, n);

	bytes_seek(&b, 24);
	h->lba = bytes_le64(&b);
	h->other = bytes_le64(&b);
	h->first = bytes_le64(&b);
	h->last = bytes_le64(&b);
	memcpy(h->guid, bytes_take(&b, GPT_GUID_SIZE), GPT_GUID_SIZE);
	h->entries = bytes_le64(&b);
	h->count = bytes_le32(&b);
	h->entry_size = bytes_le32(&b);
	h->entries_crc = bytes_le32(&b);
}

/* The header at an LBA: 0, 1 where there is none, or -ERR_FORMAT. */
static int header_read(const struct window *w, uint64_t lba, struct header *out, struct err *err)
{
	uint8_t sector[SECTOR_MAX];
	struct header h;
	uint32_t size;
	int rc = window_read(w, sector, w->sector, lba * w->sector, err);

	if (rc < 0)
		return rc;
	if (memcmp(sector, SIGNATURE, 8) != 0)
		return 1;
	size = get_le32(sector + 12);
	if (size < HEADER_SIZE || size > w->sector)
		return err_set(err, ERR_FORMAT, "header of %" PRIu32 " bytes, expected %d to %u",
		               size, HEADER_SIZE, w->sector);
	if (!header_crc_valid(sector, size))
		return err_set(err, ERR_FORMAT, "the header's checksum is wrong");
	header_get(sector, w->sector, &h);
	if (h.lba != lba)
		return err_set(err, ERR_FORMAT, "header at LBA %" PRIu64 " says it is at %" PRIu64,
		               lba, h.lba);
	if (!entry_size_valid(h.entry_size))
		return err_set(err, ERR_FORMAT, "entries of %" PRIu32 " bytes", h.entry_size);
	if (h.count > GPT_ENTRIES_MAX)
		return err_set(err, ERR_LIMIT, "%" PRIu32 " entries, more than the limit of %d",
		               h.count, GPT_ENTRIES_MAX);
	if (h.first > h.last)
		return err_set(err, ERR_FORMAT,
		               "last usable LBA %" PRIu64 " before first usable LBA %" PRIu64,
		               h.last, h.first);
	*out = h;
	return 0;
}

static int entries_read(const struct window *w, const struct header *h, uint8_t **out,
                        struct err *err)
{
	size_t n = (size_t)h->count * h->entry_size;
	_free_ uint8_t *p = xmalloc(n);
	int rc;

	if (h->entries > w->size / w->sector)
		return err_set(err, ERR_FORMAT,
		               "entries at LBA %" PRIu64 ", but the disk has only %" PRIu64
		               " sectors",
		               h->entries, w->size / w->sector);
	rc = window_read(w, p, n, h->entries * w->sector, err);
	if (rc < 0)
		return rc;
	if (gpt_crc(p, n) != h->entries_crc)
		return err_set(err, ERR_FORMAT, "the checksum of the entries is wrong");
	*out = take(&p);
	return 0;
}

static void entry_get(const uint8_t *p, struct gpt_entry *e)
{
	memcpy(e->type, p, GPT_GUID_SIZE);
	memcpy(e->guid, p + 16, GPT_GUID_SIZE);
	e->first = get_le64(p + 32);
	e->last = get_le64(p + 40);
	e->flags = get_le64(p + 48);
	for (unsigned i = 0; i < GPT_NAME_UNITS; i++)
		e->name[i] = get_le16(p + 56 + 2 * i);
}

static int entry_check(const struct gpt_entry *e, const struct header *h, struct err *err)
{
	if (e->last < e->first)
		return err_set(err, ERR_FORMAT,
		               "entry %u: last LBA %" PRIu64 " before first LBA %" PRIu64,
		               e->number, e->last, e->first);
	if (e->first < h->first || e->last > h->last)
		return err_set(err, ERR_FORMAT,
		               "entry %u: LBA %" PRIu64 " to %" PRIu64
		               " is not inside the usable %" PRIu64 " to %" PRIu64,
		               e->number, e->first, e->last, h->first, h->last);
	return 0;
}

static int entries_parse(const uint8_t *p, const struct header *h, struct gpt *out, struct err *err)
{
	_free_ struct gpt_entry *list = xcalloc(h->count, sizeof *list);
	size_t n = 0;

	for (uint32_t i = 0; i < h->count; i++) {
		struct gpt_entry e = {.number = i + 1};
		int rc;

		entry_get(p + (size_t)i * h->entry_size, &e);
		if (guid_zero(e.type))
			continue;
		rc = entry_check(&e, h, err);
		if (rc < 0)
			return rc;
		list[n++] = e;
	}
	memcpy(out->guid, h->guid, GPT_GUID_SIZE);
	out->n = n;
	out->entry = take(&list);
	return 0;
}

/*
 * One header and its entries. *sound: both checksums match. Invalid values are then
 * not damage: the backup has the same.
 */
static int side_read(const struct window *w, uint64_t lba, struct gpt *out, bool *sound,
                     struct err *err)
{
	_free_ uint8_t *entries = NULL;
	struct header h;
	int rc = header_read(w, lba, &h, err);

	if (rc != 0)
		return rc;
	rc = entries_read(w, &h, &entries, err);
	if (rc < 0)
		return rc;
	*sound = true;
	return entries_parse(entries, &h, out, err);
}

int gpt_read(const struct window *w, struct gpt *out, struct err *err)
{
	uint64_t sectors = w->size / w->sector;
	struct gpt gpt = {0};
	struct err second = ERR_INIT;
	bool sound = false;
	int rc, rc2;

	if (sectors < 3)
		return 1;
	rc = side_read(w, 1, &gpt, &sound, err);
	if (rc < 0 && sound)
		return err_prefix(err, "%s: GPT", w->name);
	if (rc != 0) {
		gpt.from_copy = true;
		rc2 = side_read(w, sectors - 1, &gpt, &sound, &second);
		if (rc2 < 0 && (sound || rc == 1)) {
			*err = second;
			return err_prefix(err, "%s: backup GPT", w->name);
		}
		if (rc2 == 1 && rc == 1)
			return 1;
		if (rc2 != 0)
			return err_prefix(err, "%s: GPT and its backup are both invalid", w->name);
	}
	*out = gpt;
	return 0;
}

void gpt_fini(struct gpt *gpt)
{
	free(gpt->entry);
	*gpt = (struct gpt){0};
}

static void entry_put(uint8_t *p, const struct gpt_entry *e)
{
	memcpy(p, e->type, GPT_GUID_SIZE);
	memcpy(p + 16, e->guid, GPT_GUID_SIZE);
	put_le64(p + 32, e->first);
	put_le64(p + 40, e->last);
	put_le64(p + 48, e->flags);
	for (unsigned i = 0; i < GPT_NAME_UNITS; i++)
		put_le16(p + 56 + 2 * i, e->name[i]);
}

static void header_put(uint8_t *p, const struct header *h)
{
	memcpy(p, SIGNATURE, 8);
	put_le32(p + 8, REVISION_1);
	put_le32(p + 12, HEADER_SIZE);
	put_le64(p + 24, h->lba);
	put_le64(p + 32, h->other);
	put_le64(p + 40, h->first);
	put_le64(p + 48, h->last);
	memcpy(p + 56, h->guid, GPT_GUID_SIZE);
	put_le64(p + 72, h->entries);
	put_le32(p + 80, h->count);
	put_le32(p + 84, h->entry_size);
	put_le32(p + 88, h->entries_crc);
	put_le32(p + 16, gpt_crc(p, HEADER_SIZE));
}

static int all_check(const struct gpt *gpt, const struct header *h, struct err *err)
{
	for (size_t i = 0; i < gpt->n; i++) {
		const struct gpt_entry *e = &gpt->entry[i];

		if (entry_check(e, h, err) < 0) {
			err->code = ERR_USAGE; /* the values are the caller's, not a disk's */
			return err_prefix(err, "GPT");
		}
		if (!e->number || e->number > GPT_ENTRIES_USUAL)
			return err_set(err, ERR_USAGE, "GPT entry number %u, not 1 to %d",
			               e->number, GPT_ENTRIES_USUAL);
		for (size_t k = 0; k < i; k++)
			if (e->number == gpt->entry[k].number ||
			    (e->first <= gpt->entry[k].last && gpt->entry[k].first <= e->last))
				return err_set(err, ERR_USAGE, "GPT entry %u overlaps entry %u",
				               e->number, gpt->entry[k].number);
	}
	return 0;
}

static void protective_mbr(uint64_t sectors, uint8_t *out)
{
	struct mbr mbr = {.entry[0] = {.type = MBR_TYPE_GPT,
	                               .start = 1,
	                               .sectors = (uint32_t)MIN(sectors - 1, UINT32_MAX)}};
	struct err unused = ERR_INIT;

	(void)mbr_format(&mbr, out, &unused);
}

int gpt_format(const struct gpt *gpt, uint64_t sectors, unsigned sector, struct buf *head,
               struct buf *tail, struct err *err)
{
	uint64_t span = (GPT_ENTRIES_USUAL * ENTRY_SIZE + sector - 1) / sector;
	struct header h = {.lba = 1,
	                   .other = sectors - 1,
	                   .first = 2 + span,
	                   .last = sectors - 2 - span,
	                   .entries = 2,
	                   .count = GPT_ENTRIES_USUAL,
	                   .entry_size = ENTRY_SIZE};
	uint8_t entries[GPT_ENTRIES_USUAL * ENTRY_SIZE] = {0};
	uint8_t *p;
	int rc;

	if (!window_sector_valid(sector) || sectors < 2 * span + 4)
		return err_set(err, ERR_USAGE, "%" PRIu64 " sectors of %u bytes cannot hold a GPT",
		               sectors, sector);
	rc = all_check(gpt, &h, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < gpt->n; i++)
		entry_put(entries + (size_t)(gpt->entry[i].number - 1) * ENTRY_SIZE,
		          &gpt->entry[i]);
	memcpy(h.guid, gpt->guid, GPT_GUID_SIZE);
	h.entries_crc = gpt_crc(entries, sizeof entries);
	p = buf_zeros(head, (size_t)(2 + span) * sector);
	protective_mbr(sectors, p);
	header_put(p + sector, &h);
	memcpy(p + 2 * (size_t)sector, entries, sizeof entries);
	h.lba = sectors - 1;
	h.other = 1;
	h.entries = sectors - 1 - span;
	p = buf_zeros(tail, (size_t)(span + 1) * sector);
	memcpy(p, entries, sizeof entries);
	header_put(p + (size_t)span * sector, &h);
	return 0;
}
