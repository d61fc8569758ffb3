/* SPDX-License-Identifier: MIT */
#include "image/stream_fill.h"
#include "image/stream_nar.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/spool.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define UNIT_BYTES (8ull << 20)
#define UNIT_ITEMS 512u
/* A larger NAR is never held in memory. */
#define MEMORY_MAX (12ull << 20)
#define WORKERS_MAX 16u
#define NAP_NS 100000000L

/* Items that follow each other in the layout and are handled at once. */
struct unit {
	size_t first, n; /* in order[] */
	uint64_t bytes;
	enum { FREE, TAKEN, COUNTED, PARKED, DONE } state;
	struct ext4_tally tally; /* from COUNTED on */
	uint64_t line, ino;      /* where it begins, if it is before frontier */
	int spool;
};

struct worker {
	struct ext4_stream *stream;
	struct ext4_counter *counter;
	uint8_t *memory; /* MEMORY_MAX */
};

struct fill {
	struct ext4_writer *w;
	const struct stream_source *src;
	const struct stream_fill_options *opt;
	struct store_plan *plan;
	struct worker workers[WORKERS_MAX];
	pthread_mutex_t lock;
	pthread_cond_t moved; /* the frontier, or a unit got parked, or failure */
	struct unit *units;
	size_t n_units;
	size_t front, back; /* units [front, back) were not taken */
	size_t frontier;    /* up to this one the beginnings are known */
	size_t large_going; /* large NARs being unpacked */
	uint64_t left;      /* bytes of units that were not taken */
	bool failed;
	int rc;         /* of the first failure, and */
	struct err err; /* why */
};

/* ---- units ------------------------------------------------------------------ */

static uint64_t size_at(const struct fill *f, size_t pos)
{
	return f->src->items[f->plan->order[pos]].nar_size;
}

static void cut_units(struct fill *f)
{
	size_t cap = 0;

	for (size_t i = 0; i < f->src->n;) {
		struct unit u = {.first = i, .spool = -1};

		do {
			u.bytes += size_at(f, i++);
			u.n++;
		} while (i < f->src->n && u.n < UNIT_ITEMS &&
		         u.bytes + size_at(f, i) <= UNIT_BYTES);
		GROW(f->units, f->n_units, cap);
		f->units[f->n_units++] = u;
		f->left += u.bytes;
	}
	f->back = f->n_units;
}

static bool is_large(const struct unit *u)
{
	return u->bytes > MEMORY_MAX;
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

static int post(struct fill *f, struct unit *u, const struct ext4_tally *tally, struct err *err)
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

static int wait_for_beginning(struct fill *f, const struct unit *u, struct err *err)
{
	bool ok;

	pthread_mutex_lock(&f->lock);
	while (!begins(f, u) && !stopped(f))
		nap(f);
	ok = begins(f, u);
	pthread_mutex_unlock(&f->lock);
	return ok ? 0 : err_set(err, ERR_INTERRUPTED, "interrupted");
}

static int fetch(struct fill *f, size_t pos, int copy, stream_use *use, void *ctx, struct err *err)
{
	return stream_nar(f->src, f->plan->order[pos], copy, f->opt->bytes, use, ctx, err);
}

/* ---- units in memory --------------------------------------------------------- */

struct memory {
	const uint8_t *p;
	size_t n, pos;
};

static int memory_read(void *ctx, void *p, size_t n, size_t *got, struct err *err)
{
	struct memory *m = ctx;

	*got = MIN(n, m->n - m->pos);
	memcpy(p, m->p + m->pos, *got);
	m->pos += *got;
	return 0;
}

struct load {
	struct worker *me;
	size_t at, size;
	struct ext4_tally *tally;
};

/* Unpack one NAR into memory, and count what it will take. */
static int load_nar(struct stream_tap *t, void *ctx, struct err *err)
{
	struct load *l = ctx;
	struct ext4_tally tally = {0};
	struct memory m = {.p = l->me->memory + l->at, .n = l->size};
	struct walk *walk;
	size_t have = 0, got = 1;
	uint8_t end;
	int rc = 0;

	while (rc == 0 && have < l->size && got) {
		rc = stream_tap_read(t, l->me->memory + l->at + have, l->size - have, &got, err);
		have += rc == 0 ? got : 0;
	}
	/* The end, which says that all was right. */
	if (rc == 0)
		rc = stream_tap_read(t, &end, 1, &got, err);
	if (rc < 0)
		return rc;
	walk = nar_walk_new((struct nar_source){memory_read, &m});
	rc = ext4_count_tree(l->me->counter, walk, &tally, err);
	walk_free(walk);
	if (rc < 0)
		return rc;
	l->tally->blocks += tally.blocks;
	l->tally->inodes += tally.inodes;
	l->tally->bytes += tally.bytes;
	return 0;
}

static void item_done(struct fill *f)
{
	if (f->opt->paths)
		atomic_fetch_add(f->opt->paths, 1);
}

static int write_walk(struct fill *f, struct worker *me, size_t pos, struct walk *walk,
                      struct err *err)
{
	struct store_place *place = &f->plan->place[pos];
	int rc;

	place->line = ext4_stream_line(me->stream);
	place->ino = ext4_stream_ino(me->stream);
	rc = ext4_stream_tree(me->stream, walk, STORE_INO, NULL, &place->object, err);
	if (rc == 0)
		item_done(f);
	return rc;
}

static int write_memory(struct fill *f, struct worker *me, const struct unit *u, struct err *err)
{
	size_t at = 0;
	int rc = 0;

	ext4_stream_start(me->stream, u->line, (uint32_t)u->ino);
	for (size_t pos = u->first; pos < u->first + u->n && rc == 0; pos++) {
		struct memory m = {.p = me->memory + at, .n = size_at(f, pos)};
		struct walk *walk = nar_walk_new((struct nar_source){memory_read, &m});

		rc = write_walk(f, me, pos, walk, err);
		walk_free(walk);
		at += m.n;
	}
	return rc < 0 ? rc : ext4_stream_flush(me->stream, err);
}

static int do_memory(struct fill *f, struct worker *me, struct unit *u, struct err *err)
{
	struct ext4_tally tally = {0};
	struct load l = {.me = me, .tally = &tally};
	int rc = 0;

	for (size_t pos = u->first; pos < u->first + u->n && rc == 0; pos++) {
		l.size = (size_t)size_at(f, pos);
		rc = fetch(f, pos, -1, load_nar, &l, err);
		l.at += l.size;
	}
	if (rc == 0)
		rc = post(f, u, &tally, err);
	if (rc == 0)
		rc = wait_for_beginning(f, u, err);
	return rc < 0 ? rc : write_memory(f, me, u, err);
}

/* ---- large NARs -------------------------------------------------------------- */

struct direct {
	struct fill *f;
	struct worker *me;
	struct unit *unit;
};

/* What a NAR that turned out bad had already written must be gone. */
static int undo(struct fill *f, const struct unit *u, uint64_t end, struct err *err)
{
	uint64_t line = u->line;
	int rc = 0;

	while (line < end && rc == 0) {
		uint64_t run, phys = ext4_line_block(f->w->gdt_area, line, &run);

		run = MIN(run, end - line);
		rc = target_zero(f->w->target, f->w->base + phys * EXT4_BLOCK, run * EXT4_BLOCK,
		                 err);
		line += run;
	}
	return rc;
}

/* The walk's end shows only that all was right. */
static int see_end(struct walk *walk, struct err *err)
{
	struct walk_entry ent;
	int rc = walk_next(walk, &ent, err);

	return rc < 0 ? rc : 0;
}

static int direct_nar(struct stream_tap *t, void *ctx, struct err *err)
{
	struct direct *d = ctx;
	struct fill *f = d->f;
	struct walk *walk = nar_walk_new((struct nar_source){stream_tap_read, t});
	struct store_place *place = &f->plan->place[d->unit->first];
	struct err other = ERR_INIT;
	int rc;

	ext4_stream_start(d->me->stream, d->unit->line, (uint32_t)d->unit->ino);
	place->line = d->unit->line;
	place->ino = d->unit->ino;
	rc = ext4_stream_tree(d->me->stream, walk, STORE_INO, NULL, &place->object, err);
	if (rc == 0)
		rc = see_end(walk, err);
	if (rc == 0)
		rc = ext4_stream_flush(d->me->stream, err);
	if (stream_tap_is_bad(t, rc) && rc < 0 &&
	    undo(f, d->unit, ext4_stream_line(d->me->stream), &other) < 0) {
		t->bad = false;
		*err = other;
		rc = -(int)err->code;
	}
	walk_free(walk);
	return rc;
}

static int do_direct(struct fill *f, struct worker *me, struct unit *u, struct err *err)
{
	struct direct d = {.f = f, .me = me, .unit = u};
	struct ext4_tally tally = {0};
	int rc = fetch(f, u->first, -1, direct_nar, &d, err);

	if (rc < 0)
		return rc;
	tally.blocks = ext4_stream_line(me->stream) - u->line;
	tally.inodes = ext4_stream_ino(me->stream) - u->ino;
	item_done(f);
	return post(f, u, &tally, err);
}

struct spooling {
	struct worker *me;
	struct unit *unit;
	struct ext4_tally tally;
};

static int spool_nar(struct stream_tap *t, void *ctx, struct err *err)
{
	struct spooling *s = ctx;
	struct walk *walk = nar_walk_new((struct nar_source){stream_tap_read, t});
	int rc;

	s->tally = (struct ext4_tally){0};
	if (lseek(t->copy, 0, SEEK_SET) < 0)
		rc = err_set(err, ERR_IO, "a temporary file cannot be rewound");
	else
		rc = ext4_count_tree(s->me->counter, walk, &s->tally, err);
	if (rc == 0)
		rc = see_end(walk, err);
	walk_free(walk);
	return rc;
}

static int do_spool(struct fill *f, struct worker *me, struct unit *u, struct err *err)
{
	struct spooling s = {.me = me, .unit = u};
	int rc = spool_open(f->opt->spool_dir, &u->spool, err);

	if (rc == 0)
		rc = fetch(f, u->first, u->spool, spool_nar, &s, err);
	return rc < 0 ? rc : post(f, u, &s.tally, err);
}

static int file_read(void *ctx, void *p, size_t n, size_t *got, struct err *err)
{
	return io_read(*(int *)ctx, "a temporary file", p, n, got, err);
}

static int do_parked(struct fill *f, struct worker *me, struct unit *u, struct err *err)
{
	struct walk *walk = nar_walk_new((struct nar_source){file_read, &u->spool});
	int rc = 0;

	if (lseek(u->spool, 0, SEEK_SET) < 0)
		rc = err_set(err, ERR_IO, "a temporary file cannot be rewound");
	ext4_stream_start(me->stream, u->line, (uint32_t)u->ino);
	if (rc == 0)
		rc = write_walk(f, me, u->first, walk, err);
	if (rc == 0)
		rc = ext4_stream_flush(me->stream, err);
	walk_free(walk);
	io_close(&u->spool);
	return rc;
}

/* ---- who does what ----------------------------------------------------------- */

typedef int do_unit(struct fill *f, struct worker *me, struct unit *u, struct err *err);

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
			*what = do_parked;
			return u;
		}
		if (stopped(f))
			return NULL;
		u = f->front < f->back ? take_next(f) : NULL;
		if (u) {
			*what = !is_large(u) ? do_memory : begins(f, u) ? do_direct : do_spool;
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
		me->memory = xaligned(4096, MEMORY_MAX);
	}
	pthread_mutex_lock(&f->lock);
	while (rc == 0 && (u = choose(f, &what))) {
		pthread_mutex_unlock(&f->lock);
		rc = what(f, me, u, err);
		pthread_mutex_lock(&f->lock);
		f->large_going -= is_large(u) && what != do_parked;
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
	for (size_t i = 0; i < WORKERS_MAX; i++) {
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

int stream_fill(struct ext4_writer *w, const struct stream_source *src,
                const struct stream_fill_options *opt, int64_t mtime, struct store_plan *plan,
                uint64_t *line, uint32_t *ino, struct err *err)
{
	struct store_source items = {.items = src->items, .n = src->n};
	struct fill f = {.w = w, .src = src, .opt = opt, .plan = plan};
	unsigned threads = MIN(opt->threads, WORKERS_MAX);
	int rc;

	*plan = (struct store_plan){.order = store_order(src->items, src->n)};
	plan->place = xcalloc(src->n + 1, sizeof *plan->place);
	pthread_mutex_init(&f.lock, NULL);
	pthread_cond_init(&f.moved, NULL);
	cut_units(&f);
	if (f.n_units)
		f.units[0].ino = ITEMS_INO;
	src->order(src, plan->order, src->n);
	rc = pool_run(threads, threads, work, &f, err);
	if (f.failed) {
		rc = f.rc;
		*err = f.err;
	}
	if (rc == 0) {
		sum_up(&f);
		rc = store_put_dir(w, &items, plan, mtime, line, ino, err);
	}
	fill_fini(&f);
	return rc;
}
