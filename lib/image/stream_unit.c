/* SPDX-License-Identifier: MIT */
#include "image/stream_unit.h"
#include "base/io.h"
#include "base/mem.h"
#include "image/stream_nar.h"

#include <fcntl.h>
#include <string.h>

static int fetch(struct fill *f, size_t pos, stream_use *use, void *ctx, struct err *err)
{
	return stream_nar(f->src, f->plan->order[pos], f->opt->bytes, use, ctx, err);
}

/* Read to the end of the walk, which checks that the NAR was valid. */
static int see_end(struct walk *walk, struct err *err)
{
	struct walk_entry ent;
	int rc = walk_next(walk, &ent, err);

	return rc < 0 ? rc : 0;
}

/* ---- units in memory --------------------------------------------------------- */

struct load {
	struct worker *me;
	size_t at, size;
	struct ext4_tally *tally;
};

/* Unpack one NAR into memory, and count its blocks and inodes. */
static int load_nar(struct stream_tap *t, void *ctx, struct err *err)
{
	struct load *l = ctx;
	struct stream_bytes nar;
	struct walk *walk;
	size_t have = 0, got = 1;
	uint8_t end;
	int rc = 0;

	while (rc == 0 && have < l->size && got) {
		rc = stream_read(&t->stream, l->me->memory + l->at + have, l->size - have, &got,
		                 err);
		have += rc == 0 ? got : 0;
	}
	/* Read the end, which checks that the NAR was valid. */
	if (rc == 0)
		rc = stream_read(&t->stream, &end, 1, &got, err);
	if (rc < 0)
		return rc;
	*l->tally = (struct ext4_tally){0};
	walk = nar_walk_new(
	        stream_over(&nar, (struct str){(const char *)l->me->memory + l->at, l->size}));
	rc = ext4_count_tree(l->me->counter, walk, l->tally, err);
	if (rc == 0)
		rc = see_end(walk, err);
	walk_free(walk);
	return rc;
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
	int rc = 0;

	/* Skip blocks that were reserved for extents of the path before, but not needed. */
	if (ext4_stream_line(me->stream) != place->line) {
		rc = ext4_stream_flush(me->stream, err);
		ext4_stream_start(me->stream, place->line, (uint32_t)place->ino);
	}
	if (rc == 0)
		rc = ext4_stream_tree(me->stream, walk, f->parent, NULL, &place->object, err);
	if (rc < 0)
		return rc;
	f->tally[pos].blocks = ext4_stream_line(me->stream) - place->line;
	item_done(f);
	return 0;
}

/* Start writing at the beginning of a unit. */
static void start(struct fill *f, struct worker *me, const struct unit *u)
{
	const struct store_place *place = &f->plan->place[u->first];

	ext4_stream_start(me->stream, place->line, (uint32_t)place->ino);
}

static int write_memory(struct fill *f, struct worker *me, const struct unit *u, struct err *err)
{
	size_t at = 0;
	int rc = 0;

	start(f, me, u);
	for (size_t pos = u->first; pos < u->first + u->n && rc == 0; pos++) {
		struct str bytes = {(const char *)me->memory + at, (size_t)stream_size_at(f, pos)};
		struct stream_bytes nar;
		struct walk *walk = nar_walk_new(stream_over(&nar, bytes));

		rc = write_walk(f, me, pos, walk, err);
		walk_free(walk);
		at += stream_size_at(f, pos);
	}
	return rc < 0 ? rc : ext4_stream_flush(me->stream, err);
}

int stream_do_memory(struct fill *f, struct worker *me, struct unit *u, struct err *err)
{
	struct load l = {.me = me};
	int rc = 0;

	for (size_t pos = u->first; pos < u->first + u->n && rc == 0; pos++) {
		l.tally = &f->tally[pos];
		l.size = (size_t)stream_size_at(f, pos);
		rc = fetch(f, pos, load_nar, &l, err);
		l.at += l.size;
	}
	if (rc == 0)
		rc = stream_post(f, u, err);
	if (rc == 0)
		rc = stream_wait_for_beginning(f, u, err);
	return rc < 0 ? rc : write_memory(f, me, u, err);
}

/* ---- large NARs -------------------------------------------------------------- */

struct direct {
	struct fill *f;
	struct worker *me;
	struct unit *unit;
};

/* Zero the blocks that a bad NAR had written. */
static int undo(struct fill *f, uint64_t line, uint64_t end, struct err *err)
{
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

static int direct_nar(struct stream_tap *t, void *ctx, struct err *err)
{
	struct direct *d = ctx;
	struct fill *f = d->f;
	struct walk *walk = nar_walk_new(&t->stream);
	struct store_place *place = &f->plan->place[d->unit->first];
	struct err other = ERR_INIT;
	int rc = stream_wait_for_beginning(f, d->unit, err);

	if (rc < 0) {
		walk_free(walk);
		return rc;
	}
	start(f, d->me, d->unit);
	rc = ext4_stream_tree(d->me->stream, walk, f->parent, NULL, &place->object, err);
	if (rc == 0)
		rc = see_end(walk, err);
	if (rc == 0)
		rc = ext4_stream_flush(d->me->stream, err);
	if (stream_tap_is_bad(t, rc) && rc < 0 &&
	    undo(f, place->line, ext4_stream_line(d->me->stream), &other) < 0) {
		t->bad = false;
		*err = other;
		rc = -(int)err->code;
	}
	walk_free(walk);
	return rc;
}

int stream_do_direct(struct fill *f, struct worker *me, struct unit *u, struct err *err)
{
	struct direct d = {.f = f, .me = me, .unit = u};
	const struct store_place *place = &f->plan->place[u->first];
	int rc = fetch(f, u->first, direct_nar, &d, err);

	if (rc < 0)
		return rc;
	f->tally[u->first] = (struct ext4_tally){
	        .blocks = ext4_stream_line(me->stream) - place->line,
	        .inodes = ext4_stream_ino(me->stream) - place->ino,
	};
	item_done(f);
	return stream_post(f, u, err);
}

struct spooling {
	struct worker *me;
	struct ext4_tally *tally;
	int fd;
	uint64_t at, end; /* its range */
};

static int spool_nar(struct stream_tap *t, void *ctx, struct err *err)
{
	struct spooling *s = ctx;
	struct walk *walk = nar_walk_new(&t->stream);
	int rc;

	t->copy = s->fd;
	t->copy_at = s->at;
	t->copy_end = s->end;
	*s->tally = (struct ext4_tally){0};
	rc = ext4_count_tree(s->me->counter, walk, s->tally, err);
	if (rc == 0)
		rc = see_end(walk, err);
	walk_free(walk);
	return rc;
}

int stream_do_spool(struct fill *f, struct worker *me, struct unit *u, struct err *err)
{
	struct spooling s = {.me = me,
	                     .tally = &f->tally[u->first],
	                     .fd = f->opt->spool,
	                     .at = u->spool_at,
	                     .end = u->spool_at + u->bytes};
	int rc = fetch(f, u->first, spool_nar, &s, err);

	u->spooled = rc == 0;
	return rc < 0 ? rc : stream_post(f, u, err);
}

/* A range of the unnamed file. */
struct spooled {
	struct stream stream;
	int fd;
	uint64_t at, end;
};

static int spooled_read(struct stream *stream, void *p, size_t n, size_t *got, struct err *err)
{
	struct spooled *s = (struct spooled *)stream;
	int64_t some =
	        io_pread(s->fd, "a temporary file", p, (size_t)MIN(n, s->end - s->at), s->at, err);

	if (some < 0)
		return (int)some;
	*got = (size_t)some;
	s->at += *got;
	return 0;
}

int stream_do_parked(struct fill *f, struct worker *me, struct unit *u, struct err *err)
{
	struct spooled s = {{spooled_read}, f->opt->spool, u->spool_at, u->spool_at + u->bytes};
	struct walk *walk = nar_walk_new(&s.stream);
	int rc;

	start(f, me, u);
	rc = write_walk(f, me, u->first, walk, err);
	if (rc == 0)
		rc = ext4_stream_flush(me->stream, err);
	walk_free(walk);
	/* Free its blocks. If the file system cannot, they stay until the end. */
	(void)fallocate(f->opt->spool, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	                (off_t)u->spool_at, (off_t)u->bytes);
	return rc;
}
