/* SPDX-License-Identifier: MIT */
/* What http.c and http_listen.c share; for these files only. */
#ifndef CACHE_HTTP_INTERNAL_H
#define CACHE_HTTP_INTERNAL_H

#include <pthread.h>

#include "cache/http.h"
#include "cache/http_wire.h"
#include "jail/jail.h"

#define HTTP_PEER "the network process" /* for errors */
#define HTTP_POLL_MS 100

struct download {
	struct http *http;
	struct download *prev, *next; /* in http's list */
	uint32_t id;
	char *url, *name; /* name: for errors */
	unsigned moves;   /* redirects */
	uint64_t limit;
	size_t window;
	bool ended;   /* END was received */
	bool freed;   /* DONE was sent */
	bool unasked; /* GET was not sent */
	uint64_t arrived;
	uint64_t taken; /* bytes read, but not reported yet */
	struct body body;
	struct err err; /* code 0: none */
	char encoding[HTTP_ENCODING_MAX + 1];
};

struct http {
	struct http_options opt;
	struct body_store store;
	struct buf netrc;
	struct jail jail;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct http_line line;
	struct download *first, *last; /* in order of id */
	uint32_t last_id;
	uint64_t received, finished;
	int wake; /* an eventfd: the thread is to look at quit */
	bool quit, cancelled;
	struct err broken; /* why the fetcher ended; code 0: it is running */
};

/* Remove and free a download. Locked. */
void http_unlink(struct http *h, struct download *d);
/* Handle the messages in the line's buffer. Locked. -ERR_*: the fetcher sent an invalid one. */
int http_heed(struct http *h, struct err *err);
/* The thread that reads the fetcher's messages; its argument is a struct http. */
void *http_listen(void *arg);

#endif
