/* SPDX-License-Identifier: MIT */
/* The label and the metadata areas of a physical volume (LVM2: label.h, format_text/layout.h). */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "disk/lvm_internal.h"

#define LABEL_SECTORS 4u
#define LABEL_SUMMED 20u /* the first byte that the checksum is over */
#define LABEL_SIZE 32u
#define CRC_START 0xf597a6cfu
#define AREAS_MAX 8u   /* of either kind; LVM2 makes one of data and up to two of metadata */
#define AREA_SIZE 512u /* of its header */
#define MAGIC " LVM2 x[5A%r0N*>"
#define IGNORED 1u
#define ID_CHARS 32

struct place {
	uint64_t at, n; /* bytes */
};

static uint32_t sum_of(uint32_t crc, const void *p, size_t n)
{
	return crc32_le(crc, p, n);
}

/* "6-4-4-4-4-4-6"; false: there are other characters than LVM's. */
static bool id_format(const uint8_t *raw, char out[static LVM_ID_SIZE])
{
	size_t n = 0;

	for (size_t i = 0; i < ID_CHARS; i++) {
		char c = (char)raw[i];

		if (i >= 6 && i % 4 == 2 && i < 30)
			out[n++] = '-';
		if (!c ||
		    !strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!#", c))
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return true;
}

/* The sector with the label. 0, 1: there is none, or -ERR_*. */
static int label_find(const struct window *w, uint8_t sector[static LVM_SECTOR], struct err *err)
{
	uint8_t all[LABEL_SECTORS * LVM_SECTOR];
	bool damaged = false;
	int rc;

	if (w->size < sizeof all)
		return 1;
	rc = window_read(w, all, sizeof all, 0, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < LABEL_SECTORS; i++) {
		const uint8_t *s = all + i * LVM_SECTOR;

		if (memcmp(s, "LABELONE", 8) != 0 || memcmp(s + 24, "LVM2 001", 8) != 0 ||
		    get_le64(s + 8) != i)
			continue;
		damaged = sum_of(CRC_START, s + LABEL_SUMMED, LVM_SECTOR - LABEL_SUMMED) !=
		          get_le32(s + 16);
		if (damaged)
			continue;
		memcpy(sector, s, LVM_SECTOR);
		return 0;
	}
	return damaged ? err_set(err, ERR_FORMAT, "LVM2: wrong checksum of the label") : 1;
}

/* A list of places that ends with an empty one. */
static bool places_get(struct bytes *b, struct place *v, size_t *n)
{
	for (*n = 0; *n < AREAS_MAX;) {
		struct place p = {.at = bytes_le64(b)};

		p.n = bytes_le64(b);
		if (!bytes_ok(b))
			return false;
		if (!p.at)
			return true;
		v[(*n)++] = p;
	}
	return false;
}

/* ---- a metadata area ------------------------------------------------------ */

/* The area's text, which goes on after the header where the ring ends. */
static int text_get(const struct window *w, struct place area, struct place text, uint32_t sum,
                    struct buf *out, struct err *err)
{
	uint64_t end = area.n - text.at;
	size_t first = (size_t)MIN(end, text.n);
	char *p = buf_zeros(out, (size_t)text.n);
	int rc = window_read(w, p, first, area.at + text.at, err);

	if (rc == 0)
		rc = window_read(w, p + first, (size_t)text.n - first, area.at + AREA_SIZE, err);
	if (rc == 0 && sum_of(CRC_START, p, (size_t)text.n) != sum)
		rc = err_set(err, ERR_FORMAT, "wrong checksum of the metadata");
	return rc;
}

/* 0, 1: it has no text, or -ERR_*. */
static int area_read(const struct window *w, struct place area, struct buf *out, struct err *err)
{
	uint8_t h[AREA_SIZE];
	struct place text;
	int rc;

	if (area.n < AREA_SIZE || area.at > w->size || area.n > w->size - area.at)
		return err_set(err, ERR_FORMAT,
		               "metadata area of %" PRIu64 " bytes at %" PRIu64
		               " does not fit into %" PRIu64,
		               area.n, area.at, w->size);
	rc = window_read(w, h, sizeof h, area.at, err);
	if (rc < 0)
		return rc;
	if (memcmp(h + 4, MAGIC, 16) != 0 || sum_of(CRC_START, h + 4, sizeof h - 4) != get_le32(h))
		return err_set(err, ERR_FORMAT, "wrong checksum of a metadata area's header");
	if (get_le32(h + 20) != 1)
		return err_set(err, ERR_UNSUPPORTED, "metadata area of version %" PRIu32,
		               get_le32(h + 20));
	text = (struct place){get_le64(h + 40), get_le64(h + 48)};
	if (get_le64(h + 24) != area.at || get_le64(h + 32) != area.n)
		return err_set(err, ERR_FORMAT, "metadata area's header is another one's");
	if (!text.at || !text.n || get_le32(h + 60) & IGNORED)
		return 1;
	if (text.n > LVM_TEXT_MAX)
		return err_set(err, ERR_LIMIT,
		               "metadata of %" PRIu64 " bytes, more than the limit of %u", text.n,
		               LVM_TEXT_MAX);
	if (text.at < AREA_SIZE || text.at >= area.n || text.n > area.n - AREA_SIZE)
		return err_set(err, ERR_FORMAT,
		               "metadata of %" PRIu64 " bytes at %" PRIu64
		               " does not fit into its area of %" PRIu64,
		               text.n, text.at, area.n);
	return text_get(w, area, text, get_le32(h + 56), out, err);
}

static void area_take(const struct window *w, struct place area, lvm_text_fn *fn, void *arg,
                      struct buf *notes)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	int rc = area_read(w, area, &text, &err);

	if (rc < 0)
		buf_putf(notes, "%s: LVM2: %s\n", w->name, err.text);
	if (rc == 0)
		fn(arg, (struct str){text.p, strnlen(text.p, text.n)});
}

int lvm_pv_read(const struct window *w, struct lvm_pv *out, lvm_text_fn *fn, void *arg,
                struct buf *notes, struct err *err)
{
	struct place data[AREAS_MAX], meta[AREAS_MAX];
	struct lvm_pv pv = {.w = *w};
	uint8_t sector[LVM_SECTOR];
	size_t n_data = 0, n_meta = 0;
	struct bytes b;
	int rc = label_find(w, sector, err);

	if (rc)
		return rc < 0 ? err_prefix(err, "%s", w->name) : 1;
	b = bytes_over(sector, sizeof sector);
	bytes_seek(&b, get_le32(sector + 20));
	if (bytes_left(&b) < ID_CHARS || b.pos < LABEL_SIZE ||
	    !id_format(bytes_take(&b, ID_CHARS), pv.id))
		return err_set(err, ERR_FORMAT, "%s: LVM2: no UUID in the label", w->name);
	bytes_skip(&b, sizeof(uint64_t));
	if (!places_get(&b, data, &n_data) || !places_get(&b, meta, &n_meta))
		return err_set(err, ERR_FORMAT, "%s: LVM2: the label's list of areas has no end",
		               w->name);
	*out = pv;
	for (size_t i = 0; i < n_meta; i++)
		area_take(w, meta[i], fn, arg, notes);
	return 0;
}
