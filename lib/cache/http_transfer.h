/* SPDX-License-Identifier: MIT */
/* What fetcher.c and http_transfer.c share; nobody else includes it. */
#ifndef CACHE_HTTP_TRANSFER_H
#define CACHE_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "cache/http.h"
#include "cache/http_wire.h"

enum state {
	WAITING, /* for its turn, or for its next try */
	ACTIVE,
	MOVED, /* for the password of where it was redirected to */
	READY, /* all was said of it */
};

struct fetcher;

/* One download, as the fetcher has it. */
struct fetch {
	struct fetcher *fetcher;
	struct fetch *prev, *next; /* in the fetcher's list */
	uint32_t id;
	char *url, *user, *password;
	/* Where this try was redirected to, with its password; NULL: nowhere. */
	char *to_url, *to_user, *to_password;
	unsigned moves;
	uint64_t limit;
	size_t window;
	enum state state;
	bool paused; /* the window is full */
	unsigned tries;
	int64_t not_before; /* ms: when the next try may begin */
	struct body body;
	uint64_t arrived; /* bytes of the body that the reader gets, in all */
	uint64_t skip;    /* of this try: what an earlier one brought already */
	uint64_t headers;
	char encoding[HTTP_ENCODING_MAX + 1]; /* Content-Encoding */
	/* of this try, for its time limits: */
	bool answered;        /* something of the body came */
	int64_t since;        /* ms: when it, or the window that is looked at, began */
	uint64_t since_bytes; /* heard up to then */
	uint64_t heard;       /* bytes of its body */
	enum { IN_TIME, NO_ANSWER, STALLED } late;
	struct sha256 sha;
	enum err_code code;     /* our own verdict; NONE: none */
	char why[HTTP_WHY_MAX]; /* the reason of code */
	CURL *easy;
	char said[CURL_ERROR_SIZE]; /* by libcurl */
};

struct fetcher {
	const struct http_options *opt;
	struct str ca; /* certificates; empty: those of opt, or libcurl's own */
	struct body_store *store;
	struct http_line line;
	struct http_bytes pending; /* to be said before anything else; n 0: nothing */
	CURLM *multi;
	struct fetch *first, *last; /* in order of being asked for */
	unsigned active;
};

/* Put what is pending to the messages that will be sent. */
void fetcher_tell(struct fetcher *f);

/* Whether it took too long by now; then d->late says how. */
bool fetch_is_late(struct fetch *d);
/* What may be wrong beyond what libcurl says; why has n bytes. */
void fetch_explain(const struct fetch *d, CURLcode code, long status, char *why, size_t n);
/* Note why it failed. */
void fetch_fail(struct fetch *d, enum err_code code, const char *why);
/* Make its handle ready for a try. */
void fetch_set_options(struct fetch *d);

#endif
