/* SPDX-License-Identifier: MIT */
/*
 * Bodies on their way from the fetcher to who reads them: pieces of one memory that both
 * processes share. The fetcher fills pieces and says how far; the parent copies them out and
 * says how much it took; then the fetcher fills the pieces again. The fetcher alone decides
 * which piece comes next, so the parent checks each part that it is told of, and looks at a byte
 * once: it may change at any time.
 */
#ifndef CACHE_HTTP_BODY_H
#define CACHE_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define BODY_PIECE (64u << 10)
/* 4 GiB of addresses, more than all windows together; memory is used when it is first filled. */
#define BODY_PIECES (1u << 16)

struct body_store {
	uint8_t *bytes;
	/* the fetcher's: */
	uint32_t *spare; /* pieces to fill again, n_spare of them */
	size_t n_spare, cap;
	uint32_t used; /* pieces that were ever filled */
};

/* Shared with processes that are forked from now on. */
int body_store_init(struct body_store *s, struct err *err);
void body_store_fini(struct body_store *s);

/* Bytes of a piece. */
struct body_part {
	uint32_t piece, from, n;
};

/* All zero: empty. Each process has one for the same body. */
struct body {
	uint32_t *piece; /* n of them, in order; all but the last are full */
	size_t n, cap;
	size_t pos;     /* bytes of the first that were read */
	size_t end;     /* bytes that the last has */
	size_t waiting; /* bytes that were not read */
};

/* The fetcher: store some of the bytes; *part says where. False: no piece is left. */
bool body_put(struct body *b, struct body_store *s, const void *p, size_t n,
              struct body_part *part);
/* The parent: take note of such a part. False: it does not follow the one before. */
bool body_add(struct body *b, const struct body_part *part);
/* The parent: some of the next bytes; NULL: none wait. They stay until body_drop(). */
const uint8_t *body_peek(const struct body *b, const struct body_store *s, size_t *n);
/* n bytes that wait were read; s: their pieces are filled again, or NULL in the parent. */
void body_drop(struct body *b, struct body_store *s, size_t n);
/* Ends a body with all that waits; s as above. */
void body_fini(struct body *b, struct body_store *s);

#endif
