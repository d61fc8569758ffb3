/* SPDX-License-Identifier: MIT */
/* What http.c and http_transfer.c share; nobody else includes it. */
#ifndef CACHE_HTTP_TRANSFER_H
#define CACHE_HTTP_TRANSFER_H

#include <pthread.h>

#include <curl/curl.h>

#include "cache/http.h"
#include "cache/http_body.h"

enum state {
	WAITING, /* for its turn, or for its next try */
	ACTIVE,
	READY, /* with all of the body, or err */
};

struct download {
	struct http *http;
	struct download *prev, *next; /* in http's list */
	char *url, *name;             /* what is asked for; what errors call it */
	uint64_t limit;
	size_t window;
	enum state state;
	bool cancelled;
	bool stopped;        /* for its reader */
	bool paused, resume; /* the window is full; it has room again */
	unsigned tries;
	int64_t not_before; /* ms: when the next try may begin */
	struct body body;
	uint64_t arrived; /* bytes of the body that the reader gets, in all */
	uint64_t skip;    /* of this try: what an earlier one brought already */
	uint64_t headers;
	char encoding[32]; /* Content-Encoding */
	/* of this try, for its time limits: */
	bool answered;        /* something of the body came */
	int64_t since;        /* ms: when it, or the window that is looked at, began */
	uint64_t since_bytes; /* heard up to then */
	uint64_t heard;       /* bytes of its body */
	enum { IN_TIME, NO_ANSWER, STALLED } late;
	struct sha256 sha; /* the net thread's until the end was read */
	struct err err;    /* code 0: none */
	CURL *easy;
	char why[CURL_ERROR_SIZE];
};

struct http {
	struct http_options opt;
	CURLM *multi;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct body_heap heap;
	struct download *first, *last; /* in order of being asked for */
	unsigned active;
	uint64_t received, finished;
	bool quit, cancelled;
};

int64_t http_now_ms(void);
/* Whether it took too long by now; then d->late says how. Locked. */
bool download_is_late(struct download *d);
/* What may be wrong beyond what libcurl says; why has n bytes. Locked. */
void download_explain(const struct download *d, CURLcode code, long status, char *why, size_t n);

/* Note why it failed; -code. Locked. */
int download_fail(struct download *d, enum err_code code, const char *why);
/* Make its handle ready for a try. */
void download_set_options(struct download *d);

#endif
