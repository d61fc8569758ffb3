/* SPDX-License-Identifier: MIT */
#include "disk/iso.h"

#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"

#define FIRST 16u
#define DESCRIPTORS_MAX 64u
#define EL_TORITO "EL TORITO SPECIFICATION"
#define ENTRY 32u
#define ENTRIES (ISO_SECTOR / ENTRY)
#define PLATFORM_PC 0u
#define BOOTABLE 0x88u
#define SECTION 0x90u /* and 0x91 for the last one */

/* ECMA-119, 8.4: what the primary volume descriptor says. */
static int parse_primary(const uint8_t *d, const struct window *w, struct iso *out, struct err *err)
{
	struct buf label = BUF_INIT;
	struct str name = str_trim((struct str){(const char *)d + 40, ISO_LABEL_MAX});

	if (get_le16(d + 128) != ISO_SECTOR)
		return err_set(err, ERR_FORMAT, "%s: ISO 9660 block size of %u bytes, expected %u",
		               w->name, get_le16(d + 128), ISO_SECTOR);
	out->size = (uint64_t)get_le32(d + 80) * ISO_SECTOR;
	if (out->size > w->size)
		return err_set(
		        err, ERR_FORMAT,
		        "%s: truncated: the ISO 9660 volume has %llu bytes, the file only %llu",
		        w->name, (unsigned long long)out->size, (unsigned long long)w->size);
	str_escape(&label, name);
	memcpy(out->label, label.n ? label.p : "", label.n + !label.n);
	out->label[label.n] = '\0';
	buf_fini(&label);
	return 0;
}

/* All 16-bit words of the first entry add up to zero. */
static bool catalog_valid(const uint8_t *c)
{
	uint16_t sum = 0;

	for (unsigned i = 0; i < ENTRY; i += 2)
		sum = (uint16_t)(sum + get_le16(c + i));
	return c[0] == 1 && c[30] == 0x55 && c[31] == 0xaa && sum == 0;
}

/* El Torito, 2: the first entry's platform is the validation's, others' their section's. */
static int parse_catalog(const uint8_t *d, const struct window *w, struct iso *out, struct err *err)
{
	uint64_t at = (uint64_t)get_le32(d + 71) * ISO_SECTOR;
	uint8_t c[ISO_SECTOR];
	unsigned platform;

	if (at > w->size || w->size - at < sizeof c)
		return err_set(err, ERR_FORMAT,
		               "%s: its El Torito boot catalog is beyond the end of the file",
		               w->name);
	if (window_read(w, c, sizeof c, at, err) < 0)
		return -(int)err->code;
	if (!catalog_valid(c))
		return err_set(err, ERR_FORMAT, "%s: its El Torito boot catalog is invalid",
		               w->name);
	platform = c[1];
	for (unsigned i = 1; i < ENTRIES; i++) {
		const uint8_t *e = c + i * ENTRY;

		if ((e[0] & ~1u) == SECTION)
			platform = e[1];
		else if (e[0] == BOOTABLE && platform == PLATFORM_PC &&
		         (uint64_t)get_le32(e + 8) * ISO_SECTOR < w->size)
			out->bios = true;
	}
	return 0;
}

int iso_read(const struct window *w, struct iso *out, struct err *err)
{
	struct iso iso = {0};
	bool primary = false;
	uint8_t d[ISO_SECTOR];
	int rc = 0;

	for (unsigned i = 0; i < DESCRIPTORS_MAX && rc == 0; i++) {
		uint64_t at = (uint64_t)(FIRST + i) * ISO_SECTOR;
		bool there = at <= w->size && w->size - at >= sizeof d;

		if (there && window_read(w, d, sizeof d, at, err) < 0)
			return -(int)err->code;
		if (!there || memcmp(d + 1, "CD001", 5) != 0)
			return err_set(
			        err, ERR_FORMAT,
			        i ? "%s: its ISO 9660 volume descriptors have no terminator"
			          : "%s: not a CD image: it has no ISO 9660 volume descriptor",
			        w->name);
		if (d[0] == 255)
			break;
		if (d[0] == 1 && !primary) {
			rc = parse_primary(d, w, &iso, err);
			primary = true;
		} else if (d[0] == 0 && !memcmp(d + 7, EL_TORITO, strlen(EL_TORITO))) {
			rc = parse_catalog(d, w, &iso, err);
		}
	}
	if (rc == 0 && !primary)
		rc = err_set(err, ERR_FORMAT, "%s: a CD image without a primary volume descriptor",
		             w->name);
	if (rc == 0)
		*out = iso;
	return rc;
}
