/* SPDX-License-Identifier: MIT */
/* What http.c and http_listen.c share; nobody else includes it. */
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
	char *url, *name; /* what is asked for; what errors call it */
	unsigned moves;   /* redirections */
	uint64_t limit;
	size_t window;
	bool stopped; /* for its reader */
	bool ended;   /* END came */
	bool freed;   /* DONE was sent */
	bool unasked; /* GET was not sent */
	uint64_t arrived;
	uint64_t taken; /* bytes that were read, and not yet reported */
	struct body body;
	struct err err; /* code 0: none */
	uint8_t hash[HASH_SHA256_LEN];
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
	struct download *first, *last; /* in order of being asked for */
	uint32_t last_id;
	uint64_t received, finished;
	bool quit, cancelled;
	struct err broken; /* code 0: the fetcher is there */
};

/* Forget one. Locked. */
void http_unlink(struct http *h, struct download *d);
/* Handle the messages that are in the line's buffer. Locked. -ERR_*: the fetcher is not to be
 * trusted. */
int http_heed(struct http *h, struct err *err);
/* The thread that reads what the fetcher says; its argument is a struct http. */
void *http_listen(void *arg);

#endif
