/* SPDX-License-Identifier: MIT */
/*
 * Downloads over HTTP: many at once, by a separate process in a jail, each read
 * like a file by any thread. After a possibly transient error (no connection, a
 * stall, 429, 5xx) the download is retried; its reader does not notice.
 */
#ifndef CACHE_HTTP_H
#define CACHE_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct http_options {
	unsigned jobs;            /* downloads at once */
	unsigned connect_timeout; /* seconds */
	unsigned answer_timeout;  /* seconds until the first byte of an answer */
	unsigned stall_timeout;   /* seconds below the minimum speed, after that */
	unsigned tries;           /* for each download, including the first */
	const char *ca_file;      /* of certificates to trust; NULL: the system's */
	const char *agent;        /* User-Agent */
	const char *netrc;        /* file of user names and passwords; NULL: ~/.netrc */
	const atomic_bool *stop;  /* ends all waits; may be NULL */
};

struct http;
struct download;

/*
 * Starts the process and a thread that listens to it. Call it before starting other threads.
 * What opt points to is borrowed for http's life.
 */
int http_new(const struct http_options *opt, struct http **out, struct err *err);
/* All of its downloads must have been freed. */
void http_free(struct http *h);

/*
 * While nothing is being downloaded: end the thread, so that a process can be started, and start it
 * again.
 */
void http_pause(struct http *h);
int http_resume(struct http *h, struct err *err);

/*
 * Start downloading an http or https URL. name is used in errors, because the URL
 * may contain a password. A body of more than limit bytes fails. About window
 * bytes are buffered for the reader.
 */
struct download *http_get(struct http *h, const char *url, const char *name, uint64_t limit,
                          size_t window);
/*
 * Wait for the next bytes; *got is 0 only at the end. -ERR_NOENT: the server does
 * not have it; -ERR_LIMIT: too large; -ERR_IO: all tries failed, with the reason;
 * -ERR_CHILD: the process has ended, and nothing can be downloaded any more;
 * -ERR_INTERRUPTED.
 */
int download_read(struct download *d, void *p, size_t n, size_t *got, struct err *err);
/*
 * After its end was read: the Content-Encoding that the server used although none
 * was requested; "" if none. Borrowed.
 */
const char *download_encoding(const struct download *d);
/* Whether it failed or is complete, so that reading does not wait. */
bool download_ready(struct download *d);
/* Cancels the download if it is still running. */
void download_free(struct download *d);

/*
 * Wait until a download has become ready since the last call with the same *seen
 * (0 at first), or a short time has passed.
 */
void http_wait(struct http *h, uint64_t *seen);
/* All reads return -ERR_INTERRUPTED from now on. */
void http_cancel(struct http *h);
/* Bytes of bodies received so far. */
uint64_t http_received(struct http *h);

#endif
