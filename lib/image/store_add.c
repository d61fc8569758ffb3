/* SPDX-License-Identifier: MIT */
#include "image/store_add.h"
#include "base/mem.h"
#include "base/pool.h"
#include "nix/nar_hash.h"

#include <string.h>

#define WORKERS_MAX 16u

struct worker {
	struct ext4_counter *counter;
	struct ext4_stream *stream;
	struct nar_hash *hash;
};

/* An item's share of the free space, and what became of it. */
struct share {
	struct ext4_tally tally;
	struct ext4_place place;
	uint64_t line_end;
	struct ext4_object object;
};

struct adding {
	struct ext4_edit *e;
	const struct store_source *src;
	const struct store_fill_options *opt;
	uint32_t dir;
	size_t *order;        /* item numbers, as laid out */
	struct share *shares; /* by position in order */
	struct worker workers[WORKERS_MAX];
};

static int count_job(void *ctx, unsigned worker, size_t pos, struct err *err)
{
	struct adding *a = ctx;
	size_t i = a->order[pos];
	_cleanup_(walk_freep) struct walk *walk = a->src->open(a->src, i, true);
	struct worker *me = &a->workers[worker];
	int rc;

	if (!me->counter)
		me->counter = ext4_counter_new(ext4_edit_ids(a->e));
	rc = ext4_count_tree(me->counter, walk, &a->shares[pos].tally, err);
	return rc < 0 ? err_prefix(err, "copying %s", a->src->items[i].name) : 0;
}

/* All of them together first, so that too little space is known at once. */
static int take_shares(struct adding *a, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < a->src->n && rc == 0; i++) {
		uint64_t blocks = a->shares[i].tally.blocks;

		blocks += ext4_edit_slack(a->e, blocks);
		rc = ext4_edit_take(a->e, blocks, a->shares[i].tally.inodes, &a->shares[i].place,
		                    err);
		a->shares[i].line_end = a->shares[i].place.line + blocks;
	}
	return rc;
}

static int copy_item(struct adding *a, struct worker *me, size_t pos, struct err *err)
{
	size_t i = a->order[pos];
	const struct store_item *item = &a->src->items[i];
	_cleanup_(walk_freep) struct walk *walk = a->src->open(a->src, i, false);
	struct nar_hash *hash = a->opt->verify ? me->hash : NULL;
	struct share *sh = &a->shares[pos];
	int rc;

	ext4_stream_start(me->stream, sh->place.line, sh->place.ino);
	rc = ext4_stream_tree(me->stream, walk, a->dir, hash, &sh->object, err);
	if (rc == 0 && hash)
		rc = store_item_check(item, hash, err);
	if (rc == 0 && (ext4_stream_line(me->stream) > sh->line_end ||
	                ext4_stream_ino(me->stream) != sh->place.ino + sh->tally.inodes))
		rc = err_set(err, ERR_MISMATCH, "it changed while it was copied");
	if (rc == 0)
		rc = ext4_stream_flush(me->stream, err);
	sh->line_end = ext4_stream_line(me->stream);
	if (rc < 0 && rc != -ERR_INTERRUPTED)
		return err_prefix(err, "/nix/store/%s", item->name);
	return rc;
}

/* The largest first, so that no thread is left alone with it at the end. */
static int copy_job(void *ctx, unsigned worker, size_t i, struct err *err)
{
	struct adding *a = ctx;
	struct worker *me = &a->workers[worker];
	int rc;

	if (!me->stream) {
		me->stream = ext4_stream_new(ext4_edit_writer(a->e));
		me->hash = xmalloc(sizeof *me->hash);
		nar_hash_init(me->hash);
	}
	rc = copy_item(a, me, a->src->n - 1 - i, err);
	if (rc == 0 && a->opt->paths)
		atomic_fetch_add(a->opt->paths, 1);
	return rc;
}

static void adding_fini(struct adding *a)
{
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct worker *w = &a->workers[i];

		ext4_counter_free(w->counter);
		ext4_stream_free(w->stream);
		if (w->hash)
			nar_hash_fini(w->hash);
		free(w->hash);
	}
	free(a->shares);
	free(a->order);
}

int store_add(struct ext4_edit *e, uint32_t dir, const struct store_source *src,
              const struct store_fill_options *opt, struct err *err)
{
	struct adding a = {.e = e, .src = src, .opt = opt, .dir = dir};
	unsigned threads = MIN(opt->threads, WORKERS_MAX);
	int rc;

	a.order = store_order(src->items, src->n);
	a.shares = xcalloc(src->n + 1, sizeof *a.shares);
	rc = pool_run(threads, src->n, count_job, &a, err);
	if (rc == 0)
		rc = take_shares(&a, err);
	if (rc == 0)
		rc = pool_run(threads, src->n, copy_job, &a, err);
	for (size_t i = 0; i < src->n && rc == 0; i++) {
		const struct share *sh = &a.shares[i];

		ext4_edit_used(e, &sh->place, sh->line_end,
		               sh->place.ino + (uint32_t)sh->tally.inodes);
		rc = ext4_edit_link(e, dir, src->items[a.order[i]].name, &sh->object, err);
	}
	adding_fini(&a);
	return rc;
}
