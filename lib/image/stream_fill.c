/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/pool.h"
#include "ext4/ext4_piece.h"
#include "ext4/ext4_space.h"
#include "image/stream_unit.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define UNIT_BYTES (8ull << 20)
#define UNIT_ITEMS 512u
#define SPOOL_ALIGN 4096u
#define NAP_NS (CLOCK_SECOND / 10)

/* ---- units ------------------------------------------------------------------ */

static void cut_units(struct fill *f)
{
	uint64_t most = MIN(UNIT_BYTES, f->memory);
	uint64_t at = 0;
	size_t cap = 0;

	for (size_t i = 0; i < f->src->n;) {
		struct unit u = {.first = i, .spool_at = at};

		do {
			u.bytes += stream_size_at(f, i++);
			u.n++;
		} while (i < f->src->n && u.n < UNIT_ITEMS &&
		         u.bytes + stream_size_at(f, i) <= most);
		/* Only large NARs go there. Ranges are whole blocks, so that they can be freed. */
		if (u.bytes > f->memory)
			at += (u.bytes + SPOOL_ALIGN - 1) / SPOOL_ALIGN * SPOOL_ALIGN;
		GROW(f->units, f->n_units, cap);
		f->units[f->n_units++] = u;
		f->left += u.bytes;
	}
	f->back = f->n_units;
	f->tally = xcalloc(f->src->n, sizeof *f->tally);
}

static bool is_large(const struct fill *f, const struct unit *u)
{
	return u->bytes > f->memory;
}

static bool is_slow(const struct fill *f, const struct unit *u)
{
	return f->src->is_slow(f->src, f->plan->order[u->first]);
}

/* Where an item ends, the next one begins. */
static int place_next(struct fill *f, size_t pos, struct err *err)
{
	const struct ext4_space *sp = f->w->space;
	struct store_place *at = &f->plan->place[pos];
	uint64_t blocks = f->tally[pos].blocks;

	if (sp)
		blocks += ext4_space_breaks(sp, at->line, blocks);
	at[1].line = at->line + blocks;
	at[1].ino = at->ino + f->tally[pos].inodes;
	if ((f->opt->line_max && at[1].line > f->opt->line_max) ||
	    (sp && at[1].line > sp->n_blocks))
		return err_set(err, ERR_SPACE, "too small for all store paths");
	if (sp && at[1].ino > sp->n_inodes)
		return err_set(err, ERR_SPACE, "not enough inodes for all store paths");
	if (at[1].ino > UINT32_MAX / 2)
		return err_set(err, ERR_LIMIT, "%" PRIu64 " files are more than ext4 can hold",
		               at[1].ino);
	return 0;
}

/* Determine where units begin, as far as all smaller ones are counted. Call with the lock held. */
static int advance(struct fill *f, struct err *err)
{
	while (f->frontier < f->n_units && f->units[f->frontier].state >= COUNTED) {
		const struct unit *u = &f->units[f->frontier++];

		for (size_t i = 0; i < u->n; i++) {
			int rc = place_next(f, u->first + i, err);

			if (rc < 0)
				return rc;
		}
	}
	pthread_cond_broadcast(&f->moved);
	return 0;
}

int stream_post(struct fill *f, struct unit *u, struct err *err)
{
	int rc;

	pthread_mutex_lock(&f->lock);
	u->state = u->spooled ? PARKED : COUNTED;
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

/*
 * Wait until another thread made progress, or briefly, so that "stop" is noticed. Call with the
 * lock held.
 */
static void nap(struct fill *f)
{
	clock_wait(&f->moved, &f->lock, NAP_NS);
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

static unsigned cores_of(const struct fill *f)
{
	return MAX(f->opt->threads / 2, 1u);
}

/* One that is not slow keeps two cores busy; the second begins while it ends. */
static unsigned large_at_once(const struct fill *f)
{
	return is_slow(f, &f->units[f->front]) ? cores_of(f) : MAX(cores_of(f) / 2, 2u);
}

/*
 * The next item: the smallest that is not taken; but the largest NAR starts early
 * so that it does not finish last.
 */
static struct unit *take_next(struct fill *f)
{
	const struct unit *last = &f->units[f->back - 1];
	unsigned cores = cores_of(f);
	struct unit *u;

	if (cores > 1 && is_large(f, last) && f->back - f->front > 1 && is_slow(f, last) &&
	    last->bytes * cores >= f->left)
		u = &f->units[--f->back];
	else if (is_large(f, &f->units[f->front]) && f->large_going >= large_at_once(f))
		return NULL;
	else
		u = &f->units[f->front++];
	u->state = TAKEN;
	f->left -= u->bytes;
	f->large_going += is_large(f, u);
	return u;
}

static bool goes_direct(const struct fill *f, const struct unit *u)
{
	return !f->w->space && (begins(f, u) || (!is_slow(f, u) && cores_of(f) <= 2));
}

/* The next unit; NULL: none is left. Call with the lock held. */
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
			*what = !is_large(f, u)     ? stream_do_memory
			        : goes_direct(f, u) ? stream_do_direct
			                            : stream_do_spool;
			return u;
		}
		if (f->front == f->back && !parked && !f->large_going)
			return NULL;
		nap(f);
	}
}

/* Keep the first failure, and wake all waiting threads. Locked. */
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
		me->memory = xaligned(4096, f->memory);
	}
	pthread_mutex_lock(&f->lock);
	while (rc == 0 && (u = choose(f, &what))) {
		pthread_mutex_unlock(&f->lock);
		rc = what(f, me, u, err);
		pthread_mutex_lock(&f->lock);
		f->large_going -= is_large(f, u) && what != stream_do_parked;
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

void stream_fini(struct fill *f)
{
	for (size_t i = 0; i < STREAM_WORKERS_MAX; i++) {
		ext4_stream_free(f->workers[i].stream);
		ext4_counter_free(f->workers[i].counter);
		free(f->workers[i].memory);
	}
	free(f->units);
	free(f->tally);
	pthread_cond_destroy(&f->moved);
	pthread_mutex_destroy(&f->lock);
}

int stream_run(struct fill *f, struct err *err)
{
	unsigned threads = MIN(f->opt->threads, STREAM_WORKERS_MAX);
	int rc;

	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->moved, NULL);
	f->memory = MIN(STREAM_MEMORY_MAX, STREAM_MEMORY_ALL / threads);
	cut_units(f);
	f->src->order(f->src, f->plan->order, f->src->n);
	rc = pool_run(threads, threads, work, f, err);
	if (f->failed) {
		rc = f->rc;
		*err = f->err;
	}
	return rc;
}

/* Files take a little more space in a file system than in a NAR. */
static void begin(struct fill *f)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < f->src->n; i++)
		bytes += stream_size_at(f, i);
	target_begin(f->w->target, f->w->base + bytes + bytes / 8);
}

/* Blocks of the image file beyond the end of the line are not needed. */
static int finish(struct ext4_writer *w, uint64_t line, struct err *err)
{
	uint64_t run, phys;

	phys = ext4_piece_line(w, line, &run);
	return target_end(w->target, w->base + phys * EXT4_BLOCK, err);
}

int stream_fill(struct ext4_writer *w, const struct stream_source *src,
                const struct stream_fill_options *opt, struct store_plan *plan,
                struct ext4_place *next, struct err *err)
{
	struct store_source items = {.items = src->items, .n = src->n};
	struct fill f = {.w = w, .src = src, .opt = opt, .plan = plan, .parent = STORE_INO};
	const struct store_place *end;
	int rc;

	*plan = (struct store_plan){.order = store_order(src->items, src->n)};
	plan->place = xcalloc(src->n + 1, sizeof *plan->place);
	begin(&f);
	plan->place[0].ino = ITEMS_INO;
	rc = stream_run(&f, err);
	if (rc == 0) {
		end = &plan->place[src->n];
		plan->total.blocks = end->line;
		plan->total.inodes = end->ino - ITEMS_INO;
		rc = store_put_dir(w, &items, plan, opt->mtime, next, err);
	}
	if (rc == 0)
		rc = finish(w, next->line, err);
	stream_fini(&f);
	return rc;
}
