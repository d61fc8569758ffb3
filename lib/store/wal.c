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

#include <stdlib.h>
#include <string.h>

#define MAGIC 0x377f0682u
#define FORMAT 3007000u
#define HEADER 32u
#define FRAME 24u
#define DB_HEADER 100u
#define DB_PAGE_SIZE 16u
#define DB_PAGES 28u

/* A log on its way: one frame at a time, so that it takes no memory. */
struct wal {
	const struct store_log *log;
	uint8_t head[HEADER];
	uint8_t *frame; /* FRAME, then the page */
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

/* 0, 1 where fewer are left, or -ERR_*. */
static int read_whole(const struct wal *w, uint8_t *p, size_t n, struct err *err)
{
	size_t got = 0, done = 0;
	int rc;

	do {
		rc = w->log->read(w->log->ctx, p + done, n - done, &got, err);
		done += rc < 0 ? 0 : got;
	} while (rc >= 0 && got && done < n);
	return rc < 0 ? rc : done < n;
}

/* From its first byte: 0, 1: no log that counts. */
static int begin(struct wal *w, struct err *err)
{
	int rc = w->log->rewind(w->log->ctx, err);

	if (rc == 0)
		rc = read_whole(w, w->head, HEADER, err);
	if (rc)
		return rc;
	if ((be32(w->head) & ~1u) != MAGIC || be32(w->head + 4) != FORMAT)
		return 1;
	w->big_endian = be32(w->head) & 1;
	w->page = be32(w->head + 8);
	if (w->page < 512 || w->page > 65536 || (w->page & (w->page - 1)))
		return 1;
	w->sum[0] = w->sum[1] = 0;
	add(w, w->head, 24);
	return !sum_is(w, w->head + 24);
}

/* 0: the next frame is valid; 1: the log ends here. */
static int next_frame(struct wal *w, struct err *err)
{
	const uint8_t *f = w->frame;
	int rc = read_whole(w, w->frame, FRAME + (size_t)w->page, err);

	if (rc)
		return rc;
	if (memcmp(f + 8, w->head + 16, 8) != 0 || !be32(f))
		return 1;
	add(w, f, 8);
	add(w, f + FRAME, w->page);
	return !sum_is(w, f + 16);
}

/* The valid frames up to the last commit, and the pages that it leaves. */
static int count_frames(struct wal *w, uint64_t *committed, uint64_t *pages, struct err *err)
{
	int rc;

	*committed = 0;
	for (uint64_t i = 1; (rc = next_frame(w, err)) == 0; i++) {
		if (!be32(w->frame + 4))
			continue;
		*committed = i;
		*pages = be32(w->frame + 4);
	}
	return rc < 0 ? rc : 0;
}

static uint32_t page_size(const struct buf *db)
{
	const uint8_t *p = (const uint8_t *)db->p + DB_PAGE_SIZE;
	uint32_t n = (uint32_t)p[0] << 8 | p[1];

	return n == 1 ? 65536 : n;
}

static int patch(struct wal *w, struct buf *db, uint64_t frames, uint64_t pages, struct err *err)
{
	int rc = begin(w, err);

	if (pages * w->page > db->n)
		buf_zeros(db, (size_t)(pages * w->page - db->n));
	for (uint64_t i = 0; i < frames && rc == 0; i++) {
		uint64_t page;

		rc = next_frame(w, err);
		page = be32(w->frame);
		if (rc == 0 && page <= pages)
			memcpy(db->p + (page - 1) * w->page, w->frame + FRAME, w->page);
	}
	db->n = (size_t)(pages * w->page);
	return rc <= 0 ? rc : err_set(err, ERR_FORMAT, "its -wal file changed while it was read");
}

static int apply(struct wal *w, struct buf *db, size_t limit, struct err *err)
{
	uint64_t frames = 0, pages = 0;
	int rc = begin(w, err);

	if (rc)
		return rc < 0 ? rc : 0;
	w->frame = xmalloc(FRAME + (size_t)w->page);
	rc = count_frames(w, &frames, &pages, err);
	if (rc < 0 || !frames)
		return rc;
	if (db->n && (db->n < DB_HEADER || page_size(db) != w->page))
		return err_set(err, ERR_FORMAT, "its -wal file belongs to another database");
	/* No more pages than there is anything to fill them with. */
	if (pages > db->n / w->page + frames)
		return err_set(err, ERR_FORMAT, "its -wal file leaves pages undefined");
	if (pages * w->page > limit)
		return err_set(err, ERR_LIMIT,
		               "%llu bytes with its -wal file, more than the limit of %zu",
		               (unsigned long long)(pages * w->page), limit);
	return patch(w, db, frames, pages, err);
}

int store_wal_apply(const char *name, struct buf *db, const struct store_log *log, size_t limit,
                    struct err *err)
{
	struct wal w = {.log = log};
	int rc = apply(&w, db, limit, err);

	free(w.frame);
	return rc < 0 ? err_prefix(err, "%s", name) : 0;
}
