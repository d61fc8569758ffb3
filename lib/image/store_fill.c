/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/pool.h"
#include "base/walk_tree.h"
#include "ext4/ext4_piece.h"
#include "image/store_fill.h"
#include "nix/nar_hash.h"

#include <inttypes.h>
#include <string.h>

#define BATCH_BLOCKS 2048u /* 8 MiB */
#define BATCH_ITEMS 512u
#define HUGE_BLOCKS 262144u /* 1 GiB */
#define NIXBLD_GID 30000u

/* ---- the plan ------------------------------------------------------------- */

struct counting {
	const struct store_source *src;
	const struct ext4_ids *ids;
	const atomic_bool *stop;
	struct ext4_counter *counters[16];
	const size_t *order;
	struct ext4_tally *tallies; /* by position */
};

static int count_job(void *ctx, unsigned worker, size_t i, struct err *err)
{
	struct counting *c = ctx;
	size_t item = c->order[i];
	_cleanup_(walk_freep) struct walk *walk = c->src->open(c->src, item, true);
	int rc;

	if (c->stop && atomic_load_explicit(c->stop, memory_order_relaxed))
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	if (!c->counters[worker])
		c->counters[worker] = ext4_counter_new(c->ids);
	rc = ext4_count_tree(c->counters[worker], walk, &c->tallies[i], err);
	if (rc == -ERR_NOENT && !c->tallies[i].inodes)
		return err_set(err, ERR_MISMATCH, "/nix/store/%s: registered, but not found",
		               c->src->items[item].name);
	if (rc < 0)
		return err_prefix(err, "reading /nix/store/%s", c->src->items[item].name);
	return 0;
}

static _Thread_local const struct store_item *sort_items;

static int by_size(const void *a, const void *b)
{
	const struct store_item *x = &sort_items[*(const size_t *)a];
	const struct store_item *y = &sort_items[*(const size_t *)b];

	if (x->nar_size != y->nar_size)
		return x->nar_size < y->nar_size ? -1 : 1;
	return strcmp(x->name, y->name);
}

size_t *store_order(const struct store_item *items, size_t n)
{
	size_t *order = xcalloc(n, sizeof *order);

	for (size_t i = 0; i < n; i++)
		order[i] = i;
	sort_items = items;
	if (n > 1)
		qsort(order, n, sizeof *order, by_size);
	return order;
}

static void lay_out(struct store_plan *plan, size_t n, const struct ext4_tally *tallies)
{
	struct store_place at = {.ino = ITEMS_INO};

	plan->place = xcalloc(n + 1, sizeof *plan->place);
	for (size_t i = 0; i < n; i++) {
		plan->place[i] = at;
		at.line += tallies[i].blocks;
		at.ino += tallies[i].inodes;
		plan->total.blocks += tallies[i].blocks;
		plan->total.inodes += tallies[i].inodes;
		plan->total.bytes += tallies[i].bytes;
	}
	plan->place[n] = at;
}

static void cut_batches(struct store_plan *plan, size_t n)
{
	size_t cap = 0;

	for (size_t i = 0; i < n;) {
		struct store_batch b = {.first = i};

		while (i < n && b.n < BATCH_ITEMS &&
		       plan->place[i].line - plan->place[b.first].line < BATCH_BLOCKS) {
			b.n++;
			i++;
		}
		GROW(plan->batches, plan->n_batches, cap);
		plan->batches[plan->n_batches++] = b;
	}
}

int store_plan_make(const struct store_source *src, const struct ext4_ids *ids, unsigned threads,
                    const atomic_bool *stop, struct store_plan *out, struct err *err)
{
	struct counting c = {.src = src, .ids = ids, .stop = stop};
	struct store_plan plan = {0};
	int rc;

	plan.order = store_order(src->items, src->n);
	c.order = plan.order;
	c.tallies = xcalloc(src->n, sizeof *c.tallies);
	rc = pool_run(threads, src->n, count_job, &c, err);
	for (size_t i = 0; i < ARRAY_LEN(c.counters); i++)
		ext4_counter_free(c.counters[i]);
	if (rc == 0) {
		lay_out(&plan, src->n, c.tallies);
		cut_batches(&plan, src->n);
		if (plan.place[src->n].ino > UINT32_MAX / 2)
			rc = err_set(err, ERR_LIMIT,
			             "%" PRIu64 " files are more than ext4 can hold",
			             plan.total.inodes);
	}
	free(c.tallies);
	if (rc < 0)
		store_plan_fini(&plan);
	else
		*out = plan;
	return rc;
}

void store_plan_fini(struct store_plan *plan)
{
	free(plan->order);
	free(plan->place);
	free(plan->batches);
	*plan = (struct store_plan){0};
}

/* ---- copying -------------------------------------------------------------- */

struct worker_state {
	struct ext4_stream *stream;
	struct nar_hash *hash;
};

struct filling {
	struct ext4_writer *w;
	const struct store_source *src;
	struct store_plan *plan;
	const struct store_fill_options *opt;
	struct worker_state workers[16];
};

int store_item_check(const struct store_item *it, uint64_t size, const uint8_t *got,
                     struct err *err)
{
	char want_text[HASH_NIX32_SIZE], got_text[HASH_NIX32_SIZE];

	if (size != it->nar_size)
		return err_set(err, ERR_MISMATCH,
		               "its NAR has %" PRIu64 " bytes, but %" PRIu64 " in the database",
		               size, it->nar_size);
	if (got && memcmp(got, it->nar_hash, HASH_SHA256_LEN) != 0)
		return err_set(err, ERR_MISMATCH, "its NAR hash is %s, but %s in the database",
		               hash_format_nix32(got, got_text),
		               hash_format_nix32(it->nar_hash, want_text));
	return 0;
}

static int copy_item(struct filling *f, struct worker_state *me, size_t pos, struct err *err)
{
	size_t item = f->plan->order[pos];
	_cleanup_(walk_freep) struct walk *walk = f->src->open(f->src, item, false);
	struct store_place *place = &f->plan->place[pos], *next = place + 1;
	struct nar_hash *hash = f->opt->verify ? me->hash : NULL;
	uint8_t got[HASH_SHA256_LEN];
	uint64_t size = 0;
	int rc = ext4_stream_tree(me->stream, walk, STORE_INO, hash, &place->object, err);

	if (rc == 0 && hash)
		rc = nar_hash_final(hash, got, &size, err);
	if (rc == 0 && hash)
		rc = store_item_check(&f->src->items[item], size, got, err);
	if (rc == 0 && (ext4_stream_line(me->stream) != next->line ||
	                ext4_stream_ino(me->stream) != next->ino))
		rc = err_set(err, ERR_MISMATCH, "it changed while it was copied");
	if (rc == -ERR_INTERRUPTED)
		return rc;
	/* It was there when it was counted. */
	if (rc == -ERR_NOENT) {
		err_prefix(err, "it changed while it was copied");
		err->code = ERR_MISMATCH;
		rc = -ERR_MISMATCH;
	}
	if (rc < 0)
		return err_prefix(err, "%s/nix/store/%s", rc == -ERR_MISMATCH ? "" : "copying ",
		                  f->src->items[item].name);
	if (f->opt->paths)
		atomic_fetch_add(f->opt->paths, 1);
	return 0;
}

/* Largest first, so that no thread is left alone with it at the end. */
static int copy_job(void *ctx, unsigned worker, size_t i, struct err *err)
{
	struct filling *f = ctx;
	const struct store_batch *b = &f->plan->batches[f->plan->n_batches - 1 - i];
	struct worker_state *me = &f->workers[worker];

	if (!me->stream) {
		me->stream = ext4_stream_new(f->w);
		me->hash = xmalloc(sizeof *me->hash);
		nar_hash_init(me->hash);
	}
	ext4_stream_start(me->stream, f->plan->place[b->first].line,
	                  (uint32_t)f->plan->place[b->first].ino);
	for (size_t k = 0; k < b->n; k++) {
		int rc = copy_item(f, me, b->first + k, err);

		if (rc < 0)
			return rc;
	}
	return ext4_stream_flush(me->stream, err);
}

/* The directory itself, as a tree of grafts. */
static struct tree *store_tree(const struct store_source *src, const struct store_plan *plan,
                               int64_t mtime)
{
	struct tree *t = tree_new(01775, mtime);

	tree_dir(t, "/", 01775, 0, NIXBLD_GID);
	tree_handle(t, "/", STORE_INO);
	for (size_t i = 0; i < src->n; i++) {
		size_t item = plan ? plan->order[i] : i;
		struct ext4_object obj = {.ino = 1, .type = EXT4_FT_DIR};
		_free_ char *path = xasprintf("/%s", src->items[item].name);

		if (plan)
			obj = plan->place[i].object;
		tree_graft(t, path, obj.ino,
		           obj.type == EXT4_FT_DIR    ? WALK_DIR
		           : obj.type == EXT4_FT_LINK ? WALK_LINK
		                                      : WALK_FILE);
	}
	return t;
}

int store_dir_blocks(const struct store_source *src, const struct ext4_ids *ids, uint64_t *blocks,
                     struct err *err)
{
	_cleanup_(tree_freep) struct tree *t = store_tree(src, NULL, 1);
	_cleanup_(walk_freep) struct walk *walk = tree_walk(t);
	_cleanup_(ext4_counter_freep) struct ext4_counter *c = ext4_counter_new(ids);
	struct ext4_tally sum = {0};
	int rc = ext4_count_tree(c, walk, &sum, err);

	*blocks = sum.blocks;
	return rc;
}

int store_put_dir(struct ext4_writer *w, const struct store_source *src,
                  const struct store_plan *plan, int64_t mtime, struct ext4_place *next,
                  struct err *err)
{
	_cleanup_(tree_freep) struct tree *t = store_tree(src, plan, mtime);
	_cleanup_(walk_freep) struct walk *walk = tree_walk(t);
	_cleanup_(ext4_stream_freep) struct ext4_stream *s = ext4_stream_new(w);
	const struct store_place *end = &plan->place[src->n];
	struct ext4_object obj;
	int rc;

	ext4_stream_start(s, end->line, (uint32_t)end->ino);
	rc = ext4_stream_tree(s, walk, NIX_INO, NULL, &obj, err);
	if (rc == 0)
		rc = ext4_stream_flush(s, err);
	*next = ext4_stream_place(s);
	return rc;
}

/*
 * Blocks for all that is not huge, before the threads begin. What is huge may
 * be full of holes, and comes last.
 */
static int reserve(struct ext4_writer *w, const struct store_plan *plan, size_t n, struct err *err)
{
	uint64_t at = plan->place[0].line, run;
	size_t end = 0;
	int rc = 0;

	if (w->space || !w->target->wants_ahead)
		return 0;
	while (end < n && plan->place[end + 1].line - plan->place[end].line < HUGE_BLOCKS)
		end++;
	for (; rc == 0 && at < plan->place[end].line; at += run) {
		uint64_t phys = ext4_piece_line(w, at, &run);

		run = MIN(run, plan->place[end].line - at);
		rc = target_reserve_ahead(w->target, w->base + phys * EXT4_BLOCK, run * EXT4_BLOCK,
		                          err);
	}
	return rc;
}

int store_fill(struct ext4_writer *w, const struct store_source *src, struct store_plan *plan,
               const struct store_fill_options *opt, struct ext4_place *next, struct err *err)
{
	struct filling f = {.w = w, .src = src, .plan = plan, .opt = opt};
	int rc = reserve(w, plan, src->n, err);

	if (rc == 0)
		rc = pool_run(opt->threads, plan->n_batches, copy_job, &f, err);
	for (size_t i = 0; i < ARRAY_LEN(f.workers); i++) {
		ext4_stream_free(f.workers[i].stream);
		if (f.workers[i].hash)
			nar_hash_fini(f.workers[i].hash);
		free(f.workers[i].hash);
	}
	if (rc < 0)
		return rc;
	return store_put_dir(w, src, plan, opt->mtime, next, err);
}
