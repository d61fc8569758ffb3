/* SPDX-License-Identifier: MIT */
#include "disk/md.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define MAGIC 0xa92b4efcu
#define SUPER 4096u /* bytes; 0.90 uses all, 1.x has at most these */
#define SECTOR 512u
#define SIZE_MIN (128u << 10) /* bytes of a member; below, the places are not there */
#define MIRROR 1u             /* the level */

/* 1.x */
#define HEAD 256u        /* bytes before the roles */
#define ROLES_MAX 1920u  /* that fit */
#define ROLE_MAX 0xff00u /* above are faulty ones, spares, journals */
#define REBUILDING 2u    /* a feature: only a part of the data is there */
#define RESHAPING 4u

/* 0.90, in words of 32 bits */
#define OLD_UUID 5u /* and from OLD_UUIDS on */
#define OLD_UUIDS 13u
#define OLD_EVENTS 39u
#define OLD_SUM 38u
#define OLD_SELF (1024u - 32u) /* the descriptor of this disk */
#define OLD_STATE 4u           /* of a descriptor */
#define OLD_IN_SYNC 6u         /* active, and in sync */
#define OLD_FAULTY 1u

/* All words are added, but the sum's own. */
static uint64_t sum_of(const uint8_t *p, size_t n, size_t own)
{
	uint64_t sum = 0;

	for (size_t i = 0; i + 4 <= n; i += 4)
		sum += i == own ? 0 : get_le32(p + i);
	return sum + (n % 4 ? get_le16(p + n - 2) : 0);
}

static uint32_t fold(uint64_t sum)
{
	return (uint32_t)(sum + (sum >> 32));
}

/* Whether a superblock of version 1, which is at sector "at", is a whole mirror's. */
static bool is_mirror(const uint8_t *p, uint64_t at)
{
	uint32_t features = get_le32(p + 8), number = get_le32(p + 160), roles = get_le32(p + 220);

	return get_le32(p) == MAGIC && get_le32(p + 4) == 1 && get_le64(p + 144) == at &&
	       roles <= ROLES_MAX &&
	       fold(sum_of(p, HEAD + (size_t)roles * 2, 216)) == get_le32(p + 216) &&
	       get_le32(p + 72) == MIRROR && !(features & (REBUILDING | RESHAPING)) &&
	       number < roles && get_le16(p + HEAD + (size_t)number * 2) < ROLE_MAX;
}

/* The same for 0.90. */
static bool is_old_mirror(const uint8_t *p)
{
	uint32_t state = get_le32(p + (size_t)(OLD_SELF + OLD_STATE) * 4);

	return get_le32(p) == MAGIC && get_le32(p + 4) == 0 && get_le32(p + 28) == MIRROR &&
	       fold(sum_of(p, SUPER, (size_t)OLD_SUM * 4)) == get_le32(p + (size_t)OLD_SUM * 4) &&
	       (state & OLD_IN_SYNC) == OLD_IN_SYNC && !(state & OLD_FAULTY);
}

static int data_of(const struct window *w, uint64_t start, uint64_t size, struct window *out,
                   struct err *err)
{
	int rc;

	if (start > UINT64_MAX / SECTOR || size > UINT64_MAX / SECTOR)
		return err_set(err, ERR_FORMAT,
		               "%s: RAID1 with %" PRIu64 " sectors of data at sector %" PRIu64,
		               w->name, size, start);
	rc = window_sub(w, start * SECTOR, size * SECTOR, out, err);
	out->fixed = rc == 0 || out->fixed;
	return rc < 0 ? err_prefix(err, "RAID1") : 0;
}

static void array_get(const uint8_t *p, struct md_array *out)
{
	const char *name = (const char *)p + 32, *colon;
	size_t n = strnlen(name, 32);

	*out = (struct md_array){.events = get_le64(p + 200)};
	for (size_t i = 0; i < 16; i++)
		snprintf(out->uuid + 2 * i, 3, "%02x", p[16 + i]);
	colon = memchr(name, ':', n);
	if (colon) {
		n -= (size_t)(colon + 1 - name);
		name = colon + 1;
	}
	snprintf(out->name, sizeof out->name, "%.*s", (int)n, name);
}

static void old_array_get(const uint8_t *p, struct md_array *out)
{
	const uint8_t *more = p + (size_t)OLD_UUIDS * 4;

	*out = (struct md_array){.events = get_le64(p + (size_t)OLD_EVENTS * 4)};
	snprintf(out->uuid, sizeof out->uuid, "%08" PRIx32 "%08" PRIx32 "%08" PRIx32 "%08" PRIx32,
	         get_le32(p + (size_t)OLD_UUID * 4), get_le32(more), get_le32(more + 4),
	         get_le32(more + 8));
}

int md_mirror(const struct window *w, struct window *out, struct md_array *array, struct err *err)
{
	uint64_t old = (w->size & ~UINT64_C(0xffff)) - 0x10000;
	uint64_t places[] = {8, 0, (w->size / SECTOR - 16) / 8 * 8};
	struct md_array unused;
	uint8_t p[SUPER];
	int rc;

	if (w->size < SIZE_MIN)
		return 1;
	array = array ? array : &unused;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		rc = window_read(w, p, sizeof p, places[i] * SECTOR, err);
		if (rc < 0)
			return rc;
		if (!is_mirror(p, places[i]))
			continue;
		array_get(p, array);
		return data_of(w, get_le64(p + 128), get_le64(p + 80), out, err);
	}
	rc = window_read(w, p, sizeof p, old, err);
	if (rc < 0)
		return rc;
	if (!is_old_mirror(p))
		return 1;
	old_array_get(p, array);
	/* Its size is in KiB. */
	return data_of(w, 0, (uint64_t)get_le32(p + 32) * 2, out, err);
}
