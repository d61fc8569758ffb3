/* SPDX-License-Identifier: MIT */
/*
 * A list of binary caches and local stores, queried in order of priority. A path
 * that one lacks, or has in a bad state, is taken from the next.
 */
#ifndef CACHE_CACHES_H
#define CACHE_CACHES_H

#include <stdbool.h>
#include <stddef.h>

#include "cache/http.h"
#include "nix/nar.h"
#include "nix/signature.h"
#include "store/closure.h"

#define CACHES_MAX 64

/* Everything borrowed for the life of the caches. */
struct caches_options {
	const char *const *from; /* URLs, and roots of local stores */
	size_t n_from;
	const struct public_key *keys;
	size_t n_keys;
	bool check_sigs;
	const char *dir;    /* keeps downloads; NULL: none are kept */
	bool dir_asked;     /* the user set dir: it is an error if it cannot be used */
	bool keeps_nothing; /* read dir, but do not write to it */
	struct http_options http;
	void (*warn)(const char *text); /* for problems that are not errors; may be NULL */
};

struct caches;

/* Reads nix-cache-info of each. If there are several, one that does not answer is skipped. */
int caches_open(const struct caches_options *opt, struct caches **out, struct err *err);
void caches_free(struct caches *c);
void caches_freep(struct caches **c);

/*
 * The closure of a system, given by its store path or its hash (32 characters).
 * Every path in it is signed by a trusted key or content-addressed, unless
 * check_sigs is off. *out is for closure_fini(), and must outlive all fetches.
 * *toplevel: the full store path, borrowed from *out. Paths in have, which may be
 * NULL, are not requested. -ERR_NOENT: no cache has some path; -ERR_MISMATCH: a
 * path is not trusted.
 */
int caches_closure(struct caches *c, const char *system, const struct closure *have,
                   struct closure *out, const char **toplevel, struct err *err);

/* Whether path i of the closure is slow to decompress. */
bool caches_is_slow(const struct caches *c, size_t i);

/* The order in which NARs will be fetched, to download ahead. Copied. */
void caches_order(struct caches *c, const size_t *order, size_t n);

struct nar_fetch;

/*
 * Start fetching the NAR of path i: first (again == false) from the best cache,
 * then from the next. Returns 1 if none is left.
 */
int caches_fetch(struct caches *c, size_t i, bool again, struct nar_fetch **out, struct err *err);
/*
 * As stream_read(). The end is reported only if size, hashes and compression
 * match the narinfo. Otherwise the error names the path, the cache, and the
 * expected and actual values.
 */
int nar_fetch_read(struct nar_fetch *f, void *p, size_t n, size_t *got, struct err *err);
/*
 * The data read so far is not a valid NAR, see *err. Reads on to the end; if the size
 * or hash does not match, *err is replaced by that error. Returns -err->code.
 */
int nar_fetch_refused(struct nar_fetch *f, struct err *err);
void nar_fetch_free(struct nar_fetch *f);

/* Warn that a NAR was invalid and is now fetched from the next cache. */
void caches_elsewhere(struct caches *c, const struct err *err);

/* Cancel: all fetches return -ERR_INTERRUPTED soon. */
void caches_cancel(struct caches *c);
/* Between requests: end all threads, so that a process can be started, and start them again. */
void caches_pause(struct caches *c);
int caches_resume(struct caches *c, struct err *err);
/* Bytes received from the network so far. */
uint64_t caches_received(const struct caches *c);

#endif
