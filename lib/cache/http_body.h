/* SPDX-License-Identifier: MIT */
/*
 * What came of a download and was not read yet: pieces in order. Those that
 * were read go to a heap that all downloads share, and are filled again: no
 * memory grows, moves or is new in the middle of a run.
 */
#ifndef CACHE_HTTP_BODY_H
#define CACHE_HTTP_BODY_H

#include <stddef.h>
#include <stdint.h>

#define BODY_PIECE (64u << 10)

struct body_piece {
	struct body_piece *next;
	size_t n;
	uint8_t bytes[BODY_PIECE];
};

/* All zero: empty. One puts, another reads, both with a lock that they share. */
struct body {
	struct body_piece *first, *last;
	size_t pos;     /* in first: what was read of it */
	size_t waiting; /* bytes that were not read */
};

/* Pieces to fill again; NULL: none. */
struct body_heap {
	struct body_piece *first;
};

void body_put(struct body *b, struct body_heap *h, const void *p, size_t n);
/* Some of the next bytes; NULL: none wait. They stay until body_drop(), lock or not. */
const uint8_t *body_peek(const struct body *b, size_t *n);
/* n of those are done with. */
void body_drop(struct body *b, struct body_heap *h, size_t n);
/* All that is left goes to the heap. */
void body_fini(struct body *b, struct body_heap *h);
void body_heap_fini(struct body_heap *h);

#endif
