/* SPDX-License-Identifier: MIT */
/*
 *     record    length, sectors before the data, first sector (2 × 32 bits), bytes (2 × 32),
 *               date (7), flags, unit and gap of interleaving, volume (2 × 16), length of the name,
 *               name, to an even length; system use
 */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "disk/utf16.h"
#include "fs/iso9660.h"

#define RECORD_MIN 34u
#define JOLIET_UNITS 128u

/* Days from 1970 to the first of March of a year, from which February is behind all months. */
static int64_t days_to_march(int64_t year)
{
	return 365 * (year - 1970) + (year - 1968) / 4 - (year - 1900) / 100 + (year - 1600) / 400 +
	       59;
}

int64_t iso_time(const uint8_t p[static 7])
{
	int64_t month = p[1] ? p[1] - 1 : 0, year = 1900 + p[0] - (month < 2), days;

	month = (month + 10) % 12; /* since March */
	days = days_to_march(year) + (month * 153 + 2) / 5 + p[2] - 1;
	return ((days * 24 + p[3]) * 60 + p[4]) * 60 + p[5] - (int64_t)(int8_t)p[6] * 15 * 60;
}

static int decode(struct iso9660 *x, struct iso_record *r, struct err *err)
{
	struct bytes b = bytes_over(r->raw, r->n);
	uint64_t ahead, first;

	bytes_skip(&b, 1);
	ahead = bytes_u8(&b);
	first = bytes_le32(&b);
	bytes_skip(&b, 4);
	r->disk = (first + ahead) * ISO_SECTOR;
	r->size = bytes_le32(&b);
	r->mtime = iso_time(r->raw + 18);
	r->flags = r->raw[25];
	r->interleaved = r->raw[26] || r->raw[27];
	r->name.n = r->raw[32];
	bytes_seek(&b, 33);
	r->name.p = (const char *)bytes_take(&b, r->name.n);
	if (!bytes_ok(&b) || !r->name.n)
		return err_set(err, ERR_FORMAT,
		               "directory record at byte %" PRIu64 ": name of %zu bytes in %zu",
		               r->at, r->name.n, r->n);
	if (r->name.n % 2 == 0)
		bytes_skip(&b, MIN(1, bytes_left(&b)));
	r->use = bytes_over(r->raw + b.pos, bytes_left(&b));
	return 0;
}

int iso_record_read(struct iso9660 *x, uint64_t at, struct iso_record *out, struct err *err)
{
	size_t room = ISO_SECTOR - at % ISO_SECTOR;
	int rc;

	out->at = at;
	rc = window_read(&x->fs.w, out->raw, MIN(room, ISO_RECORD_MAX), at, err);
	if (rc < 0)
		return rc;
	out->n = out->raw[0];
	if (!out->n)
		return 1;
	if (out->n < RECORD_MIN || out->n > room)
		return err_set(err, ERR_FORMAT,
		               "directory record at byte %" PRIu64
		               " has %zu bytes (at least %u, at most %zu)",
		               at, out->n, RECORD_MIN, room);
	return decode(x, out, err);
}

int iso_record_next(struct iso9660 *x, struct iso_record *r, struct err *err)
{
	uint64_t at = r->at + r->n, sector = (r->at / ISO_SECTOR + 1) * ISO_SECTOR;
	int rc = at == sector ? 1 : iso_record_read(x, at, r, err);

	return rc == 1 ? iso_record_read(x, sector, r, err) : rc;
}

/* Without the version, and the point where there is nothing behind it. */
static struct str name_trim(struct str s)
{
	if (s.n > 2 && s.p[s.n - 2] == ';' && s.p[s.n - 1] == '1')
		s.n -= 2;
	if (s.n > 1 && s.p[s.n - 1] == '.')
		s.n--;
	return s;
}

/* As Linux shows it: what is written in capitals is small. */
static void plain_name(const struct iso_record *r, struct buf *out)
{
	struct str s = name_trim(r->name);

	for (size_t i = 0; i < s.n; i++)
		buf_u8(out, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (uint8_t)(s.p[i] - 'A' + 'a')
		            : s.p[i] == ';'                ? '.'
		                                           : (uint8_t)s.p[i]);
}

static void joliet_name(const struct iso_record *r, struct buf *out)
{
	uint16_t units[JOLIET_UNITS];
	size_t n = MIN(r->name.n / 2, JOLIET_UNITS);

	for (size_t i = 0; i < n; i++)
		units[i] =
		        (uint16_t)((uint8_t)r->name.p[2 * i] << 8 | (uint8_t)r->name.p[2 * i + 1]);
	if (n > 2 && units[n - 2] == ';' && units[n - 1] == '1')
		n -= 2;
	utf16_put(out, units, n);
}

/* The name and the node of a record; 1: it is not listed. */
static int entry_read(struct iso9660 *x, const struct iso_record *r, struct buf *name,
                      uint64_t *node, struct err *err)
{
	_cleanup_(iso_use_fini) struct iso_use use = {.name = BUF_INIT};
	int rc = iso_use_read(x, r, &use, err);

	*node = r->at;
	if (rc < 0)
		return rc;
	if (use.moved || r->flags & ISO_ASSOCIATED)
		return 1;
	buf_reset(name);
	if (r->name.n == 1 && (uint8_t)r->name.p[0] < 2)
		buf_puts(name, r->name.p[0] ? ".." : ".");
	else if (use.name.n)
		buf_put(name, use.name.p, use.name.n);
	else if (x->joliet)
		joliet_name(r, name);
	else
		plain_name(r, name);
	if (use.child)
		*node = use.child;
	return name->n ? 0 : 1;
}

/* All records of a directory's sectors. */
static int list_records(struct iso9660 *x, const struct iso_record *dir, struct buf *name,
                        fs_entry_fn *fn, void *arg, struct err *err)
{
	uint64_t at = dir->disk, end = dir->disk + dir->size;
	bool more = false; /* of the file before */

	while (at < end) {
		struct fs_entry ent = {.node = 0};
		struct iso_record r;
		int rc = iso_record_read(x, at, &r, err);

		if (rc < 0)
			return rc;
		at = rc == 1 ? (at / ISO_SECTOR + 1) * ISO_SECTOR : at + r.n;
		if (rc == 1)
			continue;
		rc = more ? 1 : entry_read(x, &r, name, &ent.node, err);
		more = r.flags & ISO_MORE;
		if (rc < 0)
			return rc;
		ent.name = buf_str(name);
		if (rc == 0 && fn(arg, &ent))
			return 0;
	}
	return 0;
}

int iso_dir_list(struct iso9660 *x, uint64_t node, fs_entry_fn *fn, void *arg, struct err *err)
{
	struct buf name = BUF_INIT;
	struct iso_record dir;
	int rc = iso_record_read(x, node, &dir, err);

	if (rc == 1 || (rc == 0 && !(dir.flags & ISO_DIR)))
		rc = err_set(err, ERR_FORMAT, "no directory");
	if (rc == 0 && dir.size > FS_DIR_BYTES_MAX)
		rc = err_set(err, ERR_LIMIT,
		             "directory of %" PRIu64 " bytes, more than the limit of %u", dir.size,
		             FS_DIR_BYTES_MAX);
	if (rc == 0)
		rc = list_records(x, &dir, &name, fn, arg, err);
	buf_fini(&name);
	return rc < 0 ? err_prefix(err, "directory at byte %" PRIu64, node) : 0;
}
