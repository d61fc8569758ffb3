/* SPDX-License-Identifier: MIT */
/* Reading a file system through the log of its journal. */
#include "base/mem.h"
#include "disk/jbd2.h"

/* The first place at or after a block. */
static size_t place_from(const struct jbd2_log *log, uint64_t block)
{
	size_t lo = 0, hi = log->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (log->v[mid].block < block)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool jbd2_log_touches(const struct jbd2_log *log, uint64_t off, uint64_t n)
{
	size_t i;

	if (!log->n || !n)
		return false;
	i = place_from(log, off / log->journal.block);
	return i < log->n && log->v[i].block <= (off + n - 1) / log->journal.block;
}

int jbd2_log_cover(const struct jbd2_log *log, void *p, size_t n, uint64_t off, struct err *err)
{
	const struct jbd2_journal *j = &log->journal;
	uint64_t end = off + n;

	if (!log->n || !n)
		return 0;
	for (size_t i = place_from(log, off / j->block); i < log->n; i++) {
		const struct jbd2_place *pl = &log->v[i];
		uint64_t at = pl->block * j->block, from = MAX(at, off);
		uint64_t to = MIN(at + j->block, end);
		uint8_t *out = (uint8_t *)p + (from - off);
		const uint8_t magic[4] = {JBD2_MAGIC >> 24, JBD2_MAGIC >> 16 & 0xff,
		                          JBD2_MAGIC >> 8 & 0xff, JBD2_MAGIC & 0xff};
		int rc;

		if (at >= end)
			break;
		rc = window_read(&j->w, out, (size_t)(to - from),
		                 j->map[pl->at] * j->block + (from - at), err);
		if (rc < 0)
			return rc;
		/* A block of the log must not begin with the log's magic: Linux wrote zeros. */
		for (uint64_t k = from; pl->turn & JBD2_ESCAPED && k < MIN(to, at + 4); k++)
			out[k - from] = magic[k - at];
	}
	return 0;
}
