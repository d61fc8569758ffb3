/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/pool.h"
#include "cache/nar_ahead.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct piece {
	struct piece *next;
	size_t n, pos; /* bytes in it; bytes read */
	uint8_t *bytes;
};

/* Pieces in order, and how they end. */
struct queue {
	struct piece *first, **last;
	pthread_cond_t grown;
	bool done; /* no more pieces will be added; then: */
	int rc;    /* 0: the end of the NAR, or -ERR_* */
	struct err err;
};

struct nar_ahead {
	struct stream *src;
	nar_check *check;
	void *ctx;
	pthread_t reader, checker;
	pthread_mutex_t lock;
	struct queue unpacked, checked;
	struct piece *empty;
	pthread_cond_t emptied;
	bool quit;
	uint8_t *memory; /* of all pieces */
	struct piece pieces[];
};

/* ---- pieces; all locked ------------------------------------------------------ */

static void queue_init(struct queue *q)
{
	q->last = &q->first;
	pthread_cond_init(&q->grown, NULL);
}

static void push(struct queue *q, struct piece *p)
{
	p->next = NULL;
	*q->last = p;
	q->last = &p->next;
	pthread_cond_signal(&q->grown);
}

static void finish(struct queue *q, int rc, const struct err *err)
{
	q->done = true;
	q->rc = rc;
	q->err = *err;
	pthread_cond_signal(&q->grown);
}

/* Wait for the first piece, which stays in the queue; NULL: no more will come. */
static struct piece *wait_for(struct nar_ahead *a, struct queue *q)
{
	while (!q->first && !q->done && !a->quit)
		pthread_cond_wait(&q->grown, &a->lock);
	return q->first;
}

static struct piece *pop(struct queue *q)
{
	struct piece *p = q->first;

	q->first = p->next;
	if (!q->first)
		q->last = &q->first;
	return p;
}

/* Wait for an empty piece; NULL: stop reading. */
static struct piece *get_empty(struct nar_ahead *a)
{
	struct piece *p;

	while (!a->quit && !a->empty)
		pthread_cond_wait(&a->emptied, &a->lock);
	if (a->quit)
		return NULL;
	p = a->empty;
	a->empty = p->next;
	return p;
}

static void put_empty(struct nar_ahead *a, struct piece *p)
{
	p->next = a->empty;
	a->empty = p;
	pthread_cond_signal(&a->emptied);
}

/* ---- the two threads --------------------------------------------------------- */

static void *read_all(void *ctx)
{
	struct nar_ahead *a = ctx;
	struct err err = ERR_INIT;
	struct piece *p;
	bool more = true;

	pthread_mutex_lock(&a->lock);
	while (more && (p = get_empty(a))) {
		int rc;

		pthread_mutex_unlock(&a->lock);
		p->n = p->pos = 0;
		rc = stream_read(a->src, p->bytes, NAR_AHEAD_PIECE, &p->n, &err);
		pthread_mutex_lock(&a->lock);
		more = rc == 0 && p->n;
		if (more) {
			push(&a->unpacked, p);
		} else {
			put_empty(a, p);
			finish(&a->unpacked, rc, &err);
		}
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

static void *check_all(void *ctx)
{
	struct nar_ahead *a = ctx;
	struct err err = ERR_INIT;
	struct piece *p;
	int rc = 0;

	pthread_mutex_lock(&a->lock);
	while (rc == 0 && !a->quit && (p = wait_for(a, &a->unpacked))) {
		pop(&a->unpacked);
		pthread_mutex_unlock(&a->lock);
		rc = a->check(a->ctx, p->bytes, p->n, &err);
		pthread_mutex_lock(&a->lock);
		if (rc == 0)
			push(&a->checked, p);
		else
			put_empty(a, p);
	}
	if (rc == 0 && !a->quit) {
		rc = a->unpacked.rc;
		err = a->unpacked.err;
		if (rc == 0) {
			pthread_mutex_unlock(&a->lock);
			rc = a->check(a->ctx, NULL, 0, &err);
			pthread_mutex_lock(&a->lock);
		}
	}
	finish(&a->checked, rc, &err);
	/* Stop the reading thread, also after an error. */
	a->quit = true;
	pthread_cond_signal(&a->emptied);
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* ---- the reader -------------------------------------------------------------- */

static void stop_reader(struct nar_ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->quit = true;
	pthread_cond_signal(&a->emptied);
	pthread_cond_signal(&a->unpacked.grown);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->reader, NULL);
}

static void fini(struct nar_ahead *a)
{
	free(a->memory);
	pthread_cond_destroy(&a->unpacked.grown);
	pthread_cond_destroy(&a->checked.grown);
	pthread_cond_destroy(&a->emptied);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

struct nar_ahead *nar_ahead_new(struct stream *src, nar_check *check, void *ctx, size_t pieces)
{
	struct nar_ahead *a = xcalloc(1, sizeof *a + pieces * sizeof *a->pieces);

	a->src = src;
	a->check = check;
	a->ctx = ctx;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->emptied, NULL);
	queue_init(&a->unpacked);
	queue_init(&a->checked);
	/* Not zeroed: pieces that are never filled use no memory. */
	a->memory = xaligned(4096, pieces * NAR_AHEAD_PIECE);
	while (pieces--) {
		a->pieces[pieces].bytes = a->memory + pieces * NAR_AHEAD_PIECE;
		put_empty(a, &a->pieces[pieces]);
	}
	/* Last the thread that reads the source, since nothing read can be returned to it. */
	if (pool_thread(&a->checker, check_all, a) == 0) {
		if (pool_thread(&a->reader, read_all, a) == 0)
			return a;
		pthread_mutex_lock(&a->lock);
		a->quit = true;
		pthread_cond_signal(&a->unpacked.grown);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->checker, NULL);
	}
	fini(a);
	return NULL;
}

int nar_ahead_read(struct nar_ahead *a, void *out, size_t n, size_t *got, struct err *err)
{
	struct piece *p;
	int rc = 0;

	*got = 0;
	pthread_mutex_lock(&a->lock);
	while (!a->checked.first && !a->checked.done)
		pthread_cond_wait(&a->checked.grown, &a->lock);
	p = a->checked.first;
	if (!p && a->checked.rc < 0) {
		rc = a->checked.rc;
		*err = a->checked.err;
	}
	pthread_mutex_unlock(&a->lock);
	if (!p)
		return rc;
	/* No other thread uses it until put_empty(). */
	*got = MIN(n, p->n - p->pos);
	memcpy(out, p->bytes + p->pos, *got);
	p->pos += *got;
	if (p->pos == p->n) {
		pthread_mutex_lock(&a->lock);
		put_empty(a, pop(&a->checked));
		pthread_mutex_unlock(&a->lock);
	}
	return 0;
}

void nar_ahead_free(struct nar_ahead *a)
{
	if (!a)
		return;
	stop_reader(a);
	pthread_join(a->checker, NULL);
	fini(a);
}
