/* SPDX-License-Identifier: MIT */
#include "image/stream_unit.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/pool.h"
#include "image/ext4_piece.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define UNIT_BYTES (8ull << 20)
#define UNIT_ITEMS 512u
#define NAP_NS 100000000L

/* ---- units ------------------------------------------------------------------ */

static void cut_units(struct fill *f)
{
	size_t cap = 0;

	for (size_t i = 0; i < f->src->n;) {
		struct unit u = {.first = i, .spool = -1};

		do {
			u.bytes += stream_size_at(f, i++);
			u.n++;
		} while (i < f->src->n && u.n < UNIT_ITEMS &&
		         u.bytes + stream_size_at(f, i) <= UNIT_BYTES);
		GROW(f->units, f->n_units, cap);
		f->units[f->n_units++] = u;
		f->left += u.bytes;
	}
	f->back = f->n_units;
}

static bool is_large(const struct unit *u)
{
	return u->bytes > STREAM_MEMORY_MAX;
}

/* The beginnings of all units whose smaller ones are counted. Locked. */
static int advance(struct fill *f, struct err *err)
{
	while (f->frontier < f->n_units && f->units[f->frontier].state >= COUNTED) {
		const struct unit *u = &f->units[f->frontier++];
		uint64_t line = u->line + u->tally.blocks, ino = u->ino + u->tally.inodes;

		if (f->opt->line_max && line > f->opt->line_max)
			return err_set(err, ERR_SPACE, "too small: there is no room for all of it");
		if (ino > UINT32_MAX / 2)
			return err_set(err, ERR_LIMIT, "%" PRIu64 " files are too many", ino);
		if (f->frontier < f->n_units) {
			f->units[f->frontier].line = line;
			f->units[f->frontier].ino = ino;
		}
	}
	pthread_cond_broadcast(&f->moved);
	return 0;
}

int stream_post(struct fill *f, struct unit *u, const struct ext4_tally *tally, struct err *err)
{
	int rc;

	pthread_mutex_lock(&f->lock);
	u->tally = *tally;
	u->state = u->spool >= 0 ? PARKED : COUNTED;
	rc = advance(f, err);
	pthread_mutex_unlock(&f->lock);
	return rc;
}

static bool begins(const struct fill *f, const struct unit *u)
{
	return (size_t)(u - f->units) <= f->frontier;
}

static bool stopped(const struct fill *f)
{
	return f->failed || (f->w->stop && atomic_load(f->w->stop));
}

/* Until something moved, or a moment has passed: a stop must be seen. Locked. */
static void nap(struct fill *f)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += NAP_NS;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_cond_timedwait(&f->moved, &f->lock, &until);
}

int stream_wait_for_beginning(struct fill *f, const struct unit *u, struct err *err)
{
	bool ok;

	pthread_mutex_lock(&f->lock);
	while (!begins(f, u) && !stopped(f))
		nap(f);
	ok = begins(f, u);
	pthread_mutex_unlock(&f->lock);
	return ok ? 0 : err_set(err, ERR_INTERRUPTED, "interrupted");
}

/* ---- who does what ----------------------------------------------------------- */

static struct unit *find_parked(struct fill *f, bool *any)
{
	*any = false;
	for (size_t i = f->front; i-- > 0;)
		if (f->units[i].state == PARKED) {
			*any = true;
			if (begins(f, &f->units[i]))
				return &f->units[i];
		}
	for (size_t i = f->back; i < f->n_units; i++)
		if (f->units[i].state == PARKED || f->units[i].state == TAKEN) {
			*any = true;
			if (f->units[i].state == PARKED && begins(f, &f->units[i]))
				return &f->units[i];
		}
	return NULL;
}

/*
 * The next one that nobody has taken: the smallest; but the largest where it
 * would otherwise be what all others wait for at the end.
 */
static struct unit *take_next(struct fill *f)
{
	const struct unit *last = &f->units[f->back - 1];
	unsigned cores = MAX(f->opt->threads / 2, 1u);
	struct unit *u;

	if (cores > 1 && is_large(last) && f->back - f->front > 1 &&
	    f->src->is_slow(f->src, f->plan->order[last->first]) && last->bytes * cores >= f->left)
		u = &f->units[--f->back];
	else if (is_large(&f->units[f->front]) && f->large_going >= cores)
		return NULL;
	else
		u = &f->units[f->front++];
	u->state = TAKEN;
	f->left -= u->bytes;
	f->large_going += is_large(u);
	return u;
}

/* NULL: nothing is left to do. Locked. */
static struct unit *choose(struct fill *f, do_unit **what)
{
	for (;;) {
		bool parked = false;
		struct unit *u = stopped(f) ? NULL : find_parked(f, &parked);

		if (u) {
			u->state = DONE;
			*what = stream_do_parked;
			return u;
		}
		if (stopped(f))
			return NULL;
		u = f->front < f->back ? take_next(f) : NULL;
		if (u) {
			*what = !is_large(u)   ? stream_do_memory
			        : begins(f, u) ? stream_do_direct
			                       : stream_do_spool;
			return u;
		}
		if (f->front == f->back && !parked && !f->large_going)
			return NULL;
		nap(f);
	}
}

/* The first failure is the one that counts; nobody shall wait any more. Locked. */
static void give_up(struct fill *f, int rc, const struct err *err)
{
	if (f->failed)
		return;
	f->failed = true;
	f->rc = rc;
	f->err = *err;
	f->src->cancel(f->src);
}

static int work(void *ctx, unsigned number, size_t job, struct err *err)
{
	struct fill *f = ctx;
	struct worker *me = &f->workers[number];
	do_unit *what = NULL;
	struct unit *u;
	int rc = 0;

	if (!me->stream) {
		me->stream = ext4_stream_new(f->w);
		me->counter = ext4_counter_new(f->w->ids);
		me->memory = xaligned(4096, STREAM_MEMORY_MAX);
	}
	pthread_mutex_lock(&f->lock);
	while (rc == 0 && (u = choose(f, &what))) {
		pthread_mutex_unlock(&f->lock);
		rc = what(f, me, u, err);
		pthread_mutex_lock(&f->lock);
		f->large_going -= is_large(u) && what != stream_do_parked;
		if (rc < 0)
			give_up(f, rc, err);
		pthread_cond_broadcast(&f->moved);
	}
	if (rc == 0 && stopped(f))
		rc = err_set(err, ERR_INTERRUPTED, "interrupted");
	pthread_mutex_unlock(&f->lock);
	return rc;
}

/* ---- all of it --------------------------------------------------------------- */

static void fill_fini(struct fill *f)
{
	for (size_t i = 0; i < STREAM_WORKERS_MAX; i++) {
		ext4_stream_free(f->workers[i].stream);
		ext4_counter_free(f->workers[i].counter);
		free(f->workers[i].memory);
	}
	for (size_t i = 0; i < f->n_units; i++)
		io_close(&f->units[i].spool);
	free(f->units);
	pthread_cond_destroy(&f->moved);
	pthread_mutex_destroy(&f->lock);
}

static void sum_up(struct fill *f)
{
	struct store_place *end = &f->plan->place[f->src->n];
	const struct unit *last = f->n_units ? &f->units[f->n_units - 1] : NULL;

	end->line = last ? last->line + last->tally.blocks : 0;
	end->ino = last ? last->ino + last->tally.inodes : ITEMS_INO;
	f->plan->total.blocks = end->line;
	f->plan->total.inodes = end->ino - ITEMS_INO;
}

/* Blocks that the image file was given beyond the end of the line are too many. */
static int end(struct ext4_writer *w, uint64_t line, struct err *err)
{
	uint64_t run, phys;

	if (w->space)
		return 0;
	phys = ext4_piece_line(w, line, &run);
	return target_end(w->target, w->base + phys * EXT4_BLOCK, err);
}

int stream_fill(struct ext4_writer *w, const struct stream_source *src,
                const struct stream_fill_options *opt, int64_t mtime, struct store_plan *plan,
                uint64_t *line, uint32_t *ino, struct err *err)
{
	struct store_source items = {.items = src->items, .n = src->n};
	struct fill f = {.w = w, .src = src, .opt = opt, .plan = plan};
	unsigned threads = MIN(opt->threads, STREAM_WORKERS_MAX);
	int rc;

	*plan = (struct store_plan){.order = store_order(src->items, src->n)};
	plan->place = xcalloc(src->n + 1, sizeof *plan->place);
	pthread_mutex_init(&f.lock, NULL);
	pthread_cond_init(&f.moved, NULL);
	cut_units(&f);
	if (f.n_units)
		f.units[0].ino = ITEMS_INO;
	src->order(src, plan->order, src->n);
	target_begin(w->target, w->base + f.left + f.left / 8);
	rc = pool_run(threads, threads, work, &f, err);
	if (f.failed) {
		rc = f.rc;
		*err = f.err;
	}
	if (rc == 0) {
		sum_up(&f);
		rc = store_put_dir(w, &items, plan, mtime, line, ino, err);
	}
	if (rc == 0)
		rc = end(w, *line, err);
	fill_fini(&f);
	return rc;
}
