/* SPDX-License-Identifier: MIT */
/*
 * Three ways, tried in this order for each piece until one works:
 *
 *     give back   fallocate(PUNCH_HOLE): of a block device it succeeds only
 *                 where the freed blocks read as zeros (block/fops.c); of a
 *                 file ZERO_RANGE first, which keeps its blocks allocated
 *     thin        where blocks can be discarded without that promise: read,
 *                 and write zeros over what is not zero, so that a thin volume
 *                 is not filled
 *     write       BLKZEROOUT, which the device may do by itself, or zeros
 */
#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "ext4/target.h"
#include "ext4/wipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Small enough for quick progress and ^C on a slow disk. */
#define PIECE (32ull << 20)
#define READ_PIECE (1u << 20)
#define SAMPLES 64u
#define SAMPLE_BYTES (64u << 10)
#define SPEED_BYTES (4u << 20)
/* The assumed speed if reading gives no measurement: 100 MB/s, as of an old disk. */
#define SPEED_USUAL 1e8

struct way {
	struct target *t;
	bool give_back, thin;
	uint8_t *bytes;
};

static bool all_zero(const uint8_t *p, size_t n)
{
	return n && !p[0] && memcmp(p, p + 1, n - 1) == 0;
}

/* Past the page cache if possible. */
static int fd_to_read(const struct target *t)
{
	return t->direct_fd >= 0 ? t->direct_fd : t->fd;
}

static void way_init(struct way *w, struct target *t)
{
	*w = (struct way){.t = t, .give_back = true};
	w->thin = t->is_device && t->discards && !t->zeroes_fast;
	if (w->thin)
		w->bytes = xaligned(4096, READ_PIECE);
}

static void way_fini(struct way *w)
{
	free(w->bytes);
}

static bool allocate(const struct way *w, int mode, uint64_t off, uint64_t n)
{
	int rc;

	do
		rc = fallocate(w->t->fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)n);
	while (rc < 0 && errno == EINTR);
	return rc == 0;
}

/* False: the host cannot do this, for this piece or at all. */
static bool give_back(struct way *w, uint64_t off, uint64_t n)
{
	w->give_back =
	        w->give_back && ((!w->t->is_device && allocate(w, FALLOC_FL_ZERO_RANGE, off, n)) ||
	                         allocate(w, FALLOC_FL_PUNCH_HOLE, off, n));
	return w->give_back;
}

static int zero_what_is_not(struct way *w, uint64_t off, uint64_t n, struct err *err)
{
	int rc = 0;

	for (uint64_t m; n && rc == 0; off += m, n -= m) {
		int64_t got;

		m = MIN(n, (uint64_t)READ_PIECE);
		got = io_pread(fd_to_read(w->t), w->t->name, w->bytes, (size_t)m, off, err);
		if (got < 0)
			rc = (int)got;
		else if ((uint64_t)got < m || !all_zero(w->bytes, (size_t)m))
			rc = target_zero(w->t, off, m, err);
	}
	return rc;
}

static int wipe_piece(struct way *w, uint64_t off, uint64_t n, struct err *err)
{
	if (give_back(w, off, n))
		return 0;
	if (w->thin)
		return zero_what_is_not(w, off, n, err);
	return target_zero(w->t, off, n, err);
}

/* The next range of a file that is not a hole; holes are zeros and stay holes. */
static void next_data(const struct target *t, uint64_t *off, uint64_t end, uint64_t *n)
{
	off_t data = t->is_device ? (off_t)*off : lseek(t->fd, (off_t)*off, SEEK_DATA), hole;

	*n = end - *off;
	if (t->is_device || (data < 0 && errno != ENXIO))
		return;
	if (data < 0 || (uint64_t)data >= end) {
		*off = end;
		*n = 0;
		return;
	}
	hole = lseek(t->fd, data, SEEK_HOLE);
	*off = (uint64_t)data;
	*n = MIN(end, hole < 0 ? end : (uint64_t)hole) - *off;
}

int wipe(struct target *t, uint64_t off, uint64_t n, const struct wipe_watch *watch,
         struct err *err)
{
	uint64_t end = off + n, from;
	struct way w;
	int rc = 0;

	way_init(&w, t);
	while (off < end && rc == 0) {
		from = off;
		next_data(t, &off, end, &n);
		n = MIN(n, PIECE);
		if (n)
			rc = wipe_piece(&w, off, n, err);
		off += n;
		if (watch->done)
			atomic_fetch_add(watch->done, off - from);
		if (rc == 0 && watch->stop && atomic_load(watch->stop))
			rc = err_set(err, ERR_INTERRUPTED, "interrupted");
	}
	way_fini(&w);
	return rc;
}

/* ---- looking ---------------------------------------------------------------- */

/* Measured reading speed in bytes per second; writing zeros is about as fast. */
static double read_speed(const struct target *t)
{
	_free_ uint8_t *bytes = xaligned(4096, SPEED_BYTES);
	struct err ignored = ERR_INIT;
	int64_t from = clock_ns();
	double seconds;
	int64_t got = io_pread(fd_to_read(t), t->name, bytes, SPEED_BYTES,
	                       t->size / 2 / SPEED_BYTES * SPEED_BYTES, &ignored);

	if (got < 0)
		return SPEED_USUAL;
	seconds = clock_seconds_since(from);
	return got && seconds > 0 ? (double)got / seconds : SPEED_USUAL;
}

double wipe_seconds(const struct target *t, uint64_t n)
{
	/* Files, and devices that clear discarded blocks, give their blocks back. */
	if (!t->is_device || t->zeroes_fast)
		return 0;
	return (double)n / read_speed(t);
}

int wipe_sample(struct target *t, uint64_t off, uint64_t end, bool *found, struct err *err)
{
	_free_ uint8_t *bytes = xaligned(4096, SAMPLE_BYTES);
	uint64_t step = off < end ? (end - off) / SAMPLES / SAMPLE_BYTES * SAMPLE_BYTES : 0;
	int rc = 0;

	*found = false;
	step = MAX(step, (uint64_t)SAMPLE_BYTES);
	off = (off + 4095) / 4096 * 4096;
	for (; off + SAMPLE_BYTES <= end && rc == 0 && !*found; off += step) {
		int64_t got = io_pread(fd_to_read(t), t->name, bytes, SAMPLE_BYTES, off, err);

		rc = got < 0 ? (int)got : 0;
		*found = got > 0 && !all_zero(bytes, (size_t)got);
	}
	return rc;
}
