/* SPDX-License-Identifier: MIT */
/*
 *     chunk    length, owner, stripe length, type; 3 × 32 bits; stripes, substripes (16 bits)
 *              { device, offset, UUID } stripes
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fs/btrfs.h"

#define CHUNKS_MAX 65536u
#define STRIPES_MAX 1024u

#define PROFILE_MASK 0x7f8u
#define RAID0 0x8u
#define RAID10 0x40u

static const struct {
	uint64_t bit;
	const char *name;
} profiles[] = {
        {0x8, "RAID0"},  {0x10, "RAID1"},  {0x20, "DUP"},      {0x40, "RAID10"},
        {0x80, "RAID5"}, {0x100, "RAID6"}, {0x200, "RAID1C3"}, {0x400, "RAID1C4"},
};

static const char *profile_name(uint64_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
		if (type & profiles[i].bit)
			return profiles[i].name;
	return "single";
}

/* Whether each stripe has all bytes of the chunk. */
static bool is_whole(uint64_t type, unsigned stripes, unsigned sub)
{
	switch (type & PROFILE_MASK) {
	case 0:
	case RAID0:
		return stripes == 1;
	case RAID10:
		return stripes == sub;
	case 0x10:
	case 0x20:
	case 0x200:
	case 0x400:
		return true;
	default:
		return false;
	}
}

int btrfs_chunk_parse(const struct btrfs *b, uint64_t at, struct bytes *item,
                      struct btrfs_chunk *out, struct err *err)
{
	struct btrfs_chunk c = {.at = at, .n = bytes_le64(item)};
	unsigned stripes, sub;
	bool whole;

	bytes_skip(item, 16);
	c.type = bytes_le64(item);
	bytes_skip(item, 12);
	stripes = bytes_le16(item);
	sub = bytes_le16(item);
	if (!bytes_ok(item) || !c.n || c.n > UINT64_MAX - at || (at | c.n) % b->sector ||
	    !stripes || stripes > STRIPES_MAX)
		return err_set(err, ERR_FORMAT,
		               "invalid chunk: %" PRIu64 " bytes at %" PRIu64 ", %u stripes", c.n,
		               at, stripes);
	whole = is_whole(c.type, stripes, sub);
	for (unsigned i = 0; i < stripes; i++) {
		uint64_t device = bytes_le64(item), disk = bytes_le64(item);

		bytes_skip(item, BTRFS_UUID_SIZE);
		if (whole && device == b->device && c.copies < BTRFS_COPIES)
			c.disk[c.copies++] = disk;
	}
	if (!bytes_ok(item))
		return err_set(err, ERR_FORMAT, "chunk at %" PRIu64 " with %u stripes is truncated",
		               at, stripes);
	for (unsigned i = 0; i < c.copies; i++)
		if (c.disk[i] > b->fs.w.size || c.n > b->fs.w.size - c.disk[i])
			return err_set(err, ERR_FORMAT,
			               "chunk of %" PRIu64 " bytes at byte %" PRIu64
			               " of the disk, beyond its end at %" PRIu64,
			               c.n, c.disk[i], b->fs.w.size);
	*out = c;
	return 0;
}

int btrfs_chunk_add(struct btrfs_chunks *to, const struct btrfs_chunk *c, struct err *err)
{
	const struct btrfs_chunk *last = to->n ? &to->v[to->n - 1] : NULL;

	if (last && c->at < last->at + last->n)
		return err_set(err, ERR_FORMAT, "chunk at %" PRIu64 " overlaps the one at %" PRIu64,
		               c->at, last->at);
	if (to->n == CHUNKS_MAX)
		return err_set(err, ERR_LIMIT, "more than %u chunks", CHUNKS_MAX);
	GROW(to->v, to->n, to->cap);
	to->v[to->n++] = *c;
	return 0;
}

static int by_address(const void *a, const void *b)
{
	const struct btrfs_chunk *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* { key, chunk }; they need not be sorted. */
int btrfs_chunks_first(struct btrfs *b, const uint8_t *p, size_t n, struct err *err)
{
	struct btrfs_chunks found = {NULL, 0, 0};
	struct bytes in = bytes_over(p, n);
	int rc = 0;

	while (rc == 0 && bytes_left(&in)) {
		struct btrfs_chunk c;
		uint64_t at;

		bytes_skip(&in, 9);
		at = bytes_le64(&in);
		rc = btrfs_chunk_parse(b, at, &in, &c, err);
		if (rc < 0)
			break;
		GROW(found.v, found.n, found.cap);
		found.v[found.n++] = c;
	}
	if (rc == 0 && found.n)
		qsort(found.v, found.n, sizeof *found.v, by_address);
	for (size_t i = 0; i < found.n && rc == 0; i++)
		rc = btrfs_chunk_add(&b->chunks, &found.v[i], err);
	free(found.v);
	return rc;
}

int btrfs_chunks_read(struct btrfs *b, struct err *err)
{
	_cleanup_(btrfs_place_fini) struct btrfs_place at = {.b = b};
	struct btrfs_key first = {BTRFS_CHUNKS, BTRFS_CHUNK_ITEM, 0};
	struct btrfs_chunks all = {NULL, 0, 0};
	int rc = btrfs_place_seek(&at, &b->chunk_root, &first, err);

	while (rc == 0 && at.key.object == BTRFS_CHUNKS && at.key.type == BTRFS_CHUNK_ITEM) {
		struct btrfs_chunk c;

		rc = btrfs_chunk_parse(b, at.key.offset, &at.item, &c, err);
		if (rc == 0)
			rc = btrfs_chunk_add(&all, &c, err);
		if (rc == 0)
			rc = btrfs_place_next(&at, err);
	}
	if (rc < 0) {
		free(all.v);
		return rc;
	}
	free(b->chunks.v);
	b->chunks = all;
	return 0;
}

/* The chunk that has a logical address; NULL: none. */
static const struct btrfs_chunk *chunk_of(const struct btrfs_chunks *c, uint64_t at)
{
	size_t low = 0, high = c->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c->v[mid].at <= at)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || at - c->v[low - 1].at >= c->v[low - 1].n)
		return NULL;
	return &c->v[low - 1];
}

int btrfs_at(const struct btrfs *b, uint64_t at, uint64_t n, unsigned copy, uint64_t *disk,
             struct err *err)
{
	const struct btrfs_chunk *c = chunk_of(&b->chunks, at);

	if (!c || n > c->n - (at - c->at))
		return err_set(err, ERR_FORMAT,
		               "%" PRIu64 " bytes at the logical address %" PRIu64
		               " are in no chunk",
		               n, at);
	if (!c->copies)
		return err_set(err, ERR_UNSUPPORTED,
		               "the logical address %" PRIu64
		               " is on another device of the file system, or in stripes (%s); only "
		               "one device is read",
		               at, profile_name(c->type));
	if (copy >= c->copies)
		return 1;
	*disk = c->disk[copy] + (at - c->at);
	return 0;
}
