/* SPDX-License-Identifier: MIT */
/* What fetcher.c and http_transfer.c share; for these files only. */
#ifndef CACHE_HTTP_TRANSFER_H
#define CACHE_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "cache/http.h"
#include "cache/http_wire.h"

enum state {
	WAITING, /* for a free slot, or for its next try */
	ACTIVE,
	MOVED, /* redirected: waits for LOGIN */
	READY, /* END was sent */
};

struct fetcher;

/* One download, as the fetcher has it. */
struct fetch {
	struct fetcher *fetcher;
	struct fetch *prev, *next; /* in the fetcher's list */
	uint32_t id;
	char *url, *user, *password;
	/* Where this try was redirected to, with the password for it; NULL: no redirect. */
	char *to_url, *to_user, *to_password;
	unsigned moves;
	uint64_t limit;
	size_t window;
	enum state state;
	bool paused; /* the window is full */
	unsigned tries;
	int64_t not_before; /* ms: when the next try may begin */
	struct body body;
	uint64_t arrived; /* bytes received for the reader, in all tries */
	uint64_t skip;    /* bytes of this try that earlier tries have received already */
	uint64_t headers;
	char encoding[HTTP_ENCODING_MAX + 1]; /* Content-Encoding */
	/* of this try, for its time limits: */
	bool answered;        /* some of the body was received */
	int64_t since;        /* ms: when the try, or the interval that is measured, began */
	uint64_t since_bytes; /* heard at that time */
	uint64_t heard;       /* bytes of the body received */
	enum { IN_TIME, NO_ANSWER, STALLED } late;
	enum err_code code;     /* an error found here, not by libcurl; NONE: none */
	char why[HTTP_WHY_MAX]; /* its text */
	CURL *easy;
	char said[CURL_ERROR_SIZE]; /* libcurl's error text */
};

struct fetcher {
	const struct http_options *opt;
	struct str ca; /* certificates; empty: opt's file, or libcurl's default */
	struct body_store *store;
	struct http_line line;
	struct http_bytes pending; /* to be sent before other messages; part.n 0: none */
	CURLM *multi;
	struct fetch *first, *last; /* in order of id */
	unsigned active;            /* transfers, of which some may be paused */
	unsigned paused;
};

/* Append the pending message to those that will be sent. */
void fetcher_tell(struct fetcher *f);

/*
 * A paused transfer does not count for the limit of downloads at once: its reader may wait for
 * another file first.
 */
void fetch_pause(struct fetch *d, bool paused);
/* Whether it exceeded a time limit; d->late says which. */
bool fetch_is_late(struct fetch *d);
/* Replace libcurl's text by a clearer one for some errors; why has n bytes. */
void fetch_explain(const struct fetch *d, CURLcode code, long status, char *why, size_t n);
/* Note why it failed. */
void fetch_fail(struct fetch *d, enum err_code code, const char *why);
/* Set up its handle for a try. */
void fetch_set_options(struct fetch *d);

#endif
