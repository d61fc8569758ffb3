/* SPDX-License-Identifier: MIT */
/*
 * Downloads over HTTP: one thread that talks to servers, many downloads at
 * once, each read like a file by whichever thread wants it. What may be
 * transient (no connection, a stall, 429, 5xx) is tried again, without the
 * reader noticing.
 */
#ifndef CACHE_HTTP_H
#define CACHE_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "nix/hash.h"

struct http_options {
	unsigned jobs;            /* downloads at once */
	unsigned connect_timeout; /* seconds */
	unsigned answer_timeout;  /* seconds until an answer begins */
	unsigned stall_timeout;   /* seconds with next to nothing coming, from then on */
	unsigned tries;           /* of each download, the first included */
	const char *ca_file;      /* of certificates to trust; NULL: the system's */
	const char *agent;        /* User-Agent */
	const char *netrc;        /* file of user names and passwords; NULL: ~/.netrc */
	const atomic_bool *stop;  /* ends every wait; may be NULL */
};

struct http;
struct download;

/* Starts the thread. What opt points to is borrowed for http's life. */
int http_new(const struct http_options *opt, struct http **out, struct err *err);
/* All of its downloads must have been freed. */
void http_free(struct http *h);

/*
 * Begin to download a URL of http or https, which errors call name: a URL may
 * have a password in it. A body over limit bytes fails. Not more than about
 * window bytes are held for the reader.
 */
struct download *http_get(struct http *h, const char *url, const char *name, uint64_t limit,
                          size_t window);
/*
 * The next bytes, at least one but at the end; waits. -ERR_NOENT: the server
 * has no such thing; -ERR_LIMIT: too large; -ERR_IO: all tries failed, and the
 * text says what and why; -ERR_INTERRUPTED.
 */
int download_read(struct download *d, void *p, size_t n, size_t *got, struct err *err);
/* After its end was read: the SHA-256 of all bytes, taken while they came. Once. */
void download_hash(struct download *d, uint8_t out[HASH_SHA256_LEN]);
/*
 * After its end was read: how the server says that it packed the body, though it
 * was not asked to; "" where it does not. Borrowed.
 */
const char *download_encoding(const struct download *d);
/* Whether it failed or all of it is there, so that reading will not wait. */
bool download_ready(struct download *d);
/* Whoever reads it, now or later, gets -ERR_INTERRUPTED. */
void download_stop(struct download *d);
/* Cancels what still goes on. */
void download_free(struct download *d);

/*
 * Wait until some download got ready since the last call with the same *seen
 * (0 at first), or a moment has passed.
 */
void http_wait(struct http *h, uint64_t *seen);
/* From now on whoever reads gets -ERR_INTERRUPTED. */
void http_cancel(struct http *h);
/* Bytes of bodies received so far. */
uint64_t http_received(struct http *h);

#endif
