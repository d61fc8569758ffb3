/* SPDX-License-Identifier: MIT */
/* What stream_fill.c, which says who does what, stream_unit.c, which does it,
 * and stream_add.c share; nobody else includes it. */
#ifndef IMAGE_STREAM_UNIT_H
#define IMAGE_STREAM_UNIT_H

#include <pthread.h>

#include "image/stream_fill.h"

/*
 * A worker takes some 12 MiB for decoder and buffers, and what it holds of NARs:
 * so much, and so much all workers together.
 */
#define STREAM_WORKERS_MAX 8u
#define STREAM_MEMORY_MAX (12ull << 20)
#define STREAM_MEMORY_ALL (48ull << 20)

/* Items that follow each other in the layout and are handled at once. */
struct unit {
	size_t first, n; /* in order[] */
	uint64_t bytes;
	enum { FREE, TAKEN, COUNTED, PARKED, DONE } state;
	bool spooled;      /* it is in the unnamed file, */
	uint64_t spool_at; /* from here on */
};

struct worker {
	struct ext4_stream *stream;
	struct ext4_counter *counter;
	uint8_t *memory; /* of fill.memory bytes */
};

struct fill {
	struct ext4_writer *w;
	const struct stream_source *src;
	const struct stream_fill_options *opt;
	/* Of units from COUNTED on; and where they begin, of those up to frontier. */
	struct ext4_tally *tally;
	struct store_plan *plan;
	uint32_t parent; /* the directory */
	struct worker workers[STREAM_WORKERS_MAX];
	uint64_t memory; /* bytes; a larger NAR is never held in memory */
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

/* The size of the NAR at a position of the order. */
static inline uint64_t stream_size_at(const struct fill *f, size_t pos)
{
	return f->src->items[f->plan->order[pos]].nar_size;
}

/*
 * Fill in what the plan lays out, from place[0] on. f is zeroed but for w, src,
 * opt, plan with its order and place, and parent.
 */
int stream_run(struct fill *f, struct err *err);
void stream_fini(struct fill *f);

/* A unit's items are counted: the beginnings behind it may be known now. */
int stream_post(struct fill *f, struct unit *u, struct err *err);
/* 0 when the unit's beginning is known; -ERR_INTERRUPTED. */
int stream_wait_for_beginning(struct fill *f, const struct unit *u, struct err *err);

/* The four ways to handle a unit; see stream_fill.h. The last: write what was
 * unpacked into a file. */
typedef int do_unit(struct fill *f, struct worker *me, struct unit *u, struct err *err);
do_unit stream_do_memory, stream_do_direct, stream_do_spool, stream_do_parked;

#endif
