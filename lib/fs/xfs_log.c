/* SPDX-License-Identifier: MIT */
/*
 * The log is a ring of blocks of 512 bytes. The first word of each is the number
 * of the round in which it was written, so the newest block is the last before
 * that number falls; a record's first block has a magic there and the round behind
 * it. A log is clean where the newest record says "unmounted" and nothing else.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fs/xfs.h"

#define RECORD_MAGIC 0xfeedbabeu
#define RECORD_MAX ((256u << 10) / XFS_LOG_BLOCK + 16) /* blocks, with its heads */
#define HEAD_COVERS 32768u                             /* bytes of a record for each head */
#define UNMOUNTED 0x20u

struct log {
	struct xfs *x;
	uint64_t at; /* byte of the window */
	uint32_t n;  /* its blocks of 512 bytes */
	uint8_t block[XFS_LOG_BLOCK];
};

static int block_read(struct log *l, uint32_t i, struct err *err)
{
	return window_read(&l->x->fs.w, l->block, XFS_LOG_BLOCK,
	                   l->at + (uint64_t)i * XFS_LOG_BLOCK, err);
}

static bool is_record(const struct log *l)
{
	struct bytes b = bytes_over(l->block, sizeof l->block);

	return bytes_be32(&b) == RECORD_MAGIC;
}

static int cycle_read(struct log *l, uint32_t i, uint32_t *out, struct err *err)
{
	struct bytes b = bytes_over(l->block, sizeof l->block);
	int rc = block_read(l, i, err);

	*out = rc == 0 ? bytes_be32(&b) : 0;
	if (*out == RECORD_MAGIC)
		*out = bytes_be32(&b);
	return rc;
}

/* The block after the newest one: where the cycle number changes. */
static int head_find(struct log *l, uint32_t *out, struct err *err)
{
	uint32_t first, low = 0, high = l->n, is;
	int rc = cycle_read(l, 0, &first, err);

	while (rc == 0 && high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		rc = cycle_read(l, mid, &is, err);
		if (is == first)
			low = mid;
		else
			high = mid;
	}
	*out = high % l->n;
	return rc;
}

/* The newest record's first block, *back blocks before head. */
static int record_find(struct log *l, uint32_t head, uint32_t *back, struct err *err)
{
	int rc = 0;

	for (*back = 1; *back <= MIN(RECORD_MAX, l->n); ++*back) {
		rc = block_read(l, (head + l->n - *back) % l->n, err);
		if (rc < 0 || is_record(l))
			return rc;
	}
	return err_set(err, ERR_FORMAT, "no record before block %u of the log", head);
}

static int unmounted(struct log *l, uint32_t head, uint32_t back, bool *is, struct err *err)
{
	struct bytes b = bytes_over(l->block, sizeof l->block);
	uint32_t bytes, heads = 1, version, size, ops;
	int rc;

	bytes_seek(&b, 8);
	version = bytes_be32(&b);
	bytes = bytes_be32(&b);
	bytes_seek(&b, 40);
	ops = bytes_be32(&b);
	bytes_seek(&b, 320);
	size = bytes_be32(&b);
	if (version & 2 && size > HEAD_COVERS)
		heads = MIN(size / HEAD_COVERS + (size % HEAD_COVERS != 0), RECORD_MAX);
	*is = false;
	if (ops != 1 || bytes > HEAD_COVERS ||
	    heads + (bytes + XFS_LOG_BLOCK - 1) / XFS_LOG_BLOCK != back)
		return 0;
	rc = block_read(l, (head + l->n - back + heads) % l->n, err);
	*is = rc == 0 && l->block[9] & UNMOUNTED;
	return rc;
}

int xfs_log_dirty(struct xfs *x, bool *dirty, struct err *err)
{
	struct log l = {.x = x};
	uint32_t head, back;
	bool clean = false;
	int rc;

	if (!x->log_start)
		return err_set(err, ERR_UNSUPPORTED, "the log is on another disk");
	if (!x->log_blocks)
		return err_set(err, ERR_FORMAT, "the log has no blocks");
	rc = xfs_at(x, x->log_start, x->log_blocks, &l.at, err);
	if (rc < 0)
		return err_prefix(err, "the log");
	l.n = (uint32_t)MIN((uint64_t)x->log_blocks * (x->block / XFS_LOG_BLOCK), UINT32_MAX / 2);
	rc = head_find(&l, &head, err);
	if (rc == 0)
		rc = record_find(&l, head, &back, err);
	if (rc == 0)
		rc = unmounted(&l, head, back, &clean, err);
	*dirty = !clean;
	return rc;
}
