/* SPDX-License-Identifier: MIT */
/*
 *     SP    0xbe 0xef, bytes to skip        CE    block, offset, bytes of more entries
 *     ER    lengths of id, text, source     PX    mode, links, uid, gid
 *     NM    flags, part of the name         SL    flags, { flags, length, text } of the target
 *     TF    flags, times                    CL    block of the directory that was moved
 *     RE    it was moved here               ZF    packed
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fs/iso9660.h"

#define AREAS_MAX 64u          /* places in which the entries of a record are */
#define AREA_MAX (32u << 10)   /* bytes of one */
#define NAME_BYTES_MAX 1024u   /* Linux takes 255 */
#define TARGET_BYTES_MAX 8192u /* and 4096 */

/* Of NM, and of SL's components. */
#define GOES_ON 1u
#define HERE 2u
#define UP 4u
#define ROOT 8u

/* Of TF. */
#define TIME_CREATED 1u
#define TIME_CHANGED 2u
#define TIME_LONG 0x80u

void iso_use_fini(struct iso_use *use)
{
	buf_fini(&use->name);
	buf_fini(&use->target);
}

/* A number that is there in both orders. */
static uint32_t both32(struct bytes *b)
{
	uint32_t v = bytes_le32(b);

	bytes_skip(b, 4);
	return v;
}

static void name_put(struct iso_use *u, struct bytes *b)
{
	unsigned flags = bytes_u8(b);
	size_t n = bytes_left(b);
	const uint8_t *p = bytes_take(b, n);

	if (u->name.n && !u->name_on)
		return;
	u->name_on = flags & GOES_ON;
	if (p && !(flags & (HERE | UP)) && n <= NAME_BYTES_MAX - u->name.n)
		buf_put(&u->name, p, n);
}

/* One component; the one before it ended unless on is set. */
static void component_put(struct buf *target, unsigned flags, const uint8_t *p, size_t n, bool on)
{
	if (flags & ROOT)
		buf_reset(target);
	else if (target->n && target->p[target->n - 1] != '/' && !on)
		buf_puts(target, "/");
	if (flags & ROOT)
		buf_puts(target, "/");
	else if (flags & (HERE | UP))
		buf_puts(target, flags & UP ? ".." : ".");
	else
		buf_put(target, p, n);
}

static void target_put(struct iso_use *u, struct bytes *b)
{
	u->is_link = true;
	bytes_skip(b, 1);
	while (bytes_left(b) && u->target.n < TARGET_BYTES_MAX) {
		unsigned flags = bytes_u8(b);
		size_t n = bytes_u8(b);
		const uint8_t *p = bytes_take(b, n);

		if (!p)
			return;
		component_put(&u->target, flags, p, n, u->target_on);
		u->target_on = flags & GOES_ON;
	}
}

static void mode_get(struct iso_use *u, struct bytes *b)
{
	u->mode = both32(b);
	bytes_skip(b, 8);
	u->uid = both32(b);
	u->gid = both32(b);
	u->has_mode = bytes_ok(b);
}

static void time_get(struct iso_use *u, struct bytes *b)
{
	unsigned flags = bytes_u8(b);
	const uint8_t *p;

	if (!(flags & TIME_CHANGED) || flags & TIME_LONG)
		return;
	if (flags & TIME_CREATED)
		bytes_skip(b, 7);
	p = bytes_take(b, 7);
	if (p)
		u->mtime = iso_time(p);
	u->has_mtime = p;
}

/* Where a record's entries go on. */
struct area {
	uint64_t at; /* 0: nowhere */
	uint32_t n;
};

static void entry_take(struct iso_use *u, struct area *more, const char *is, struct bytes *b)
{
	if (memcmp(is, "NM", 2) == 0) {
		name_put(u, b);
	} else if (memcmp(is, "SL", 2) == 0) {
		target_put(u, b);
	} else if (memcmp(is, "PX", 2) == 0) {
		mode_get(u, b);
	} else if (memcmp(is, "TF", 2) == 0) {
		time_get(u, b);
	} else if (memcmp(is, "CL", 2) == 0) {
		u->child = (uint64_t)both32(b) * ISO_SECTOR;
	} else if (memcmp(is, "RE", 2) == 0) {
		u->moved = true;
	} else if (memcmp(is, "ZF", 2) == 0) {
		u->packed = true;
	} else if (memcmp(is, "SF", 2) == 0) {
		u->sparse = true;
	} else if (memcmp(is, "CE", 2) == 0) {
		more->at = (uint64_t)both32(b) * ISO_SECTOR;
		more->at += both32(b);
		more->n = both32(b);
	}
}

/* The entries of one place; false: there are no more anywhere. */
static bool entries_read(struct iso_use *u, struct bytes *in, struct area *more)
{
	while (bytes_left(in) >= 4) {
		const uint8_t *head = bytes_take(in, 4);
		size_t n = head[2] >= 4 ? head[2] - 4u : SIZE_MAX;
		const uint8_t *p = bytes_take(in, n);
		struct bytes body;

		if (!p || memcmp(head, "ST", 2) == 0)
			break;
		body = bytes_over(p, n);
		entry_take(u, more, (const char *)head, &body);
	}
	return more->at;
}

int iso_use_read(struct iso9660 *x, const struct iso_record *r, struct iso_use *out,
                 struct err *err)
{
	_free_ uint8_t *p = NULL;
	struct bytes in = r->use;
	unsigned areas = 0;
	struct area more;

	*out = (struct iso_use){.name = BUF_INIT, .target = BUF_INIT};
	if (!x->rock)
		return 0;
	bytes_skip(&in, MIN(x->skip, bytes_left(&in)));
	for (more = (struct area){0, 0}; entries_read(out, &in, &more);
	     more = (struct area){0, 0}) {
		int rc;

		if (++areas == AREAS_MAX || more.n > AREA_MAX)
			return err_set(err, ERR_LIMIT,
			               "Rock Ridge entries in over %u places, or %" PRIu32
			               " bytes of them in one (limit %u)",
			               AREAS_MAX - 1, more.n, AREA_MAX);
		if (!p)
			p = xmalloc(AREA_MAX);
		rc = window_read(&x->fs.w, p, more.n, more.at, err);
		if (rc < 0)
			return rc;
		in = bytes_over(p, more.n);
	}
	return 0;
}

int iso_use_detect(struct iso9660 *x, const struct iso_record *root, struct err *err)
{
	_cleanup_(iso_use_fini) struct iso_use use = {.name = BUF_INIT};
	struct bytes in = root->use;
	const uint8_t *p = bytes_take(&in, 7);

	if (!p || memcmp(p, "SP\7\1\xbe\xef", 6) != 0)
		return 0;
	x->skip = p[6];
	x->rock = true;
	if (iso_use_read(x, root, &use, err) < 0)
		return -(int)err->code;
	/* SUSP may be there for something else alone. */
	x->rock = use.has_mode;
	return 0;
}
