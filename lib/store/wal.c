/* SPDX-License-Identifier: MIT */
/*
 * SQLite's write-ahead log, https://www.sqlite.org/fileformat2.html, section 4.
 *
 *     header   0 4 magic, its last bit: checksums are big endian   4 4 format
 *              8 4 page size   16 8 salt   24 8 checksum of the first 24
 *     frame    0 4 page number   4 4 pages in the database after this commit,
 *              or 0   8 8 salt   16 8 checksum   then the page
 *
 * All big endian. A checksum goes on from the one before it, over a frame's
 * first eight bytes and its page. The log ends where one is wrong; what stands
 * behind the last commit does not count.
 */
#include "store/store_db.h"
#include "base/bytes.h"
#include "base/mem.h"

#include <string.h>

#define MAGIC 0x377f0682u
#define FORMAT 3007000u
#define HEADER 32u
#define FRAME 24u
#define DB_HEADER 100u
#define DB_PAGE_SIZE 16u
#define DB_PAGES 28u

struct wal {
	const uint8_t *p;
	size_t n;
	uint32_t page;
	bool big_endian;
	uint32_t sum[2];
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* n is a multiple of 8. */
static void add(struct wal *w, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i += 8) {
		uint32_t a = w->big_endian ? be32(p + i) : get_le32(p + i);
		uint32_t b = w->big_endian ? be32(p + i + 4) : get_le32(p + i + 4);

		w->sum[0] += a + w->sum[1];
		w->sum[1] += b + w->sum[0];
	}
}

static bool sum_is(const struct wal *w, const uint8_t *p)
{
	return be32(p) == w->sum[0] && be32(p + 4) == w->sum[1];
}

/* false: no log that counts. */
static bool begin(struct wal *w)
{
	if (w->n < HEADER || (be32(w->p) & ~1u) != MAGIC || be32(w->p + 4) != FORMAT)
		return false;
	w->big_endian = be32(w->p) & 1;
	w->page = be32(w->p + 8);
	if (w->page < 512 || w->page > 65536 || (w->page & (w->page - 1)))
		return false;
	add(w, w->p, 24);
	return sum_is(w, w->p + 24);
}

/* The valid frames up to the last commit. */
static size_t count_frames(struct wal *w)
{
	size_t size = FRAME + (size_t)w->page, frames = (w->n - HEADER) / size, committed = 0;

	for (size_t i = 0; i < frames; i++) {
		const uint8_t *f = w->p + HEADER + i * size;

		if (memcmp(f + 8, w->p + 16, 8) != 0 || !be32(f))
			break;
		add(w, f, 8);
		add(w, f + FRAME, w->page);
		if (!sum_is(w, f + 16))
			break;
		if (be32(f + 4))
			committed = i + 1;
	}
	return committed;
}

static uint32_t page_size(const struct buf *db)
{
	const uint8_t *p = (const uint8_t *)db->p + DB_PAGE_SIZE;
	uint32_t n = (uint32_t)p[0] << 8 | p[1];

	return n == 1 ? 65536 : n;
}

int store_wal_apply(const char *name, struct buf *db, const void *wal, size_t n, struct err *err)
{
	struct wal w = {.p = wal, .n = n};
	size_t frames, size;
	uint64_t pages;

	if (!begin(&w))
		return 0;
	frames = count_frames(&w);
	if (!frames)
		return 0;
	size = FRAME + (size_t)w.page;
	pages = be32(w.p + HEADER + (frames - 1) * size + 4);
	if (db->n && (db->n < DB_HEADER || page_size(db) != w.page))
		return err_set(err, ERR_FORMAT, "%s: its -wal file belongs to another database",
		               name);
	/* No more pages than there is anything to fill them with. */
	if (pages > db->n / w.page + frames)
		return err_set(err, ERR_FORMAT, "%s: its -wal file leaves holes", name);
	if (pages * w.page > db->n)
		buf_zeros(db, (size_t)(pages * w.page - db->n));
	for (size_t i = 0; i < frames; i++) {
		const uint8_t *f = w.p + HEADER + i * size;
		uint64_t page = be32(f);

		if (page <= pages)
			memcpy(db->p + (page - 1) * w.page, f + FRAME, w.page);
	}
	db->n = (size_t)(pages * w.page);
	return 0;
}
