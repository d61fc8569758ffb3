/* SPDX-License-Identifier: MIT */
/*
 * Bodies on their way from the fetcher to their readers, in pieces of memory that both
 * processes share. The fetcher fills pieces and reports how far; the parent copies the bytes out
 * and reports how many; then the fetcher reuses the pieces. The parent checks each part that the
 * fetcher reports, and reads each byte only once, because the fetcher can change it at any time.
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
	/* in the fetcher only: */
	uint32_t *spare; /* n_spare pieces to be reused */
	size_t n_spare, cap;
	uint32_t used; /* pieces that have been used so far */
};

/* Shared with processes forked afterwards. */
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
	size_t pos;     /* bytes read from the first */
	size_t end;     /* bytes in the last */
	size_t waiting; /* bytes not read yet */
};

/* In the fetcher: store some of the bytes; *part says where. False: no piece is free. */
bool body_put(struct body *b, struct body_store *s, const void *p, size_t n,
              struct body_part *part);
/* In the parent: add such a part. False: it does not follow the previous part. */
bool body_add(struct body *b, const struct body_part *part);
/* In the parent: some of the next bytes; NULL: there are none. Valid until body_drop(). */
const uint8_t *body_peek(const struct body *b, const struct body_store *s, size_t *n);
/* n bytes were read. s: where their pieces are reused; NULL in the parent. */
void body_drop(struct body *b, struct body_store *s, size_t n);
/* Drop all bytes and free the body; s as above. */
void body_fini(struct body *b, struct body_store *s);

#endif
