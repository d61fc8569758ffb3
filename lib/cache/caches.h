/* SPDX-License-Identifier: MIT */
/*
 * Where store paths come from when the host's own store is not enough: binary
 * caches and local stores, asked in order of priority. What one lacks or has
 * broken, the next may have.
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
	const char *dir;    /* for downloads to keep; NULL: none are */
	bool dir_asked;     /* somebody asked for dir: without it nothing goes */
	bool keeps_nothing; /* what is in dir serves, but nothing changes there */
	struct http_options http;
	void (*warn)(const char *text); /* what does not end the run; may be NULL */
};

struct caches;

/* Asks each cache what it is; one of several that does not answer is left out. */
int caches_open(const struct caches_options *opt, struct caches **out, struct err *err);
void caches_free(struct caches *c);
void caches_freep(struct caches **c);

/*
 * The closure of a system, named by its store path or by its 32 digits. Every
 * path in it is signed by a trusted key or named after its contents, unless
 * check_sigs is off. *out is for closure_fini(), and must outlive what is
 * fetched. *toplevel: the whole store path, borrowed from *out. Nobody is asked
 * for paths of have, which may be NULL: they are as they are there.
 * -ERR_NOENT: nobody has some path; -ERR_MISMATCH: one is not to be trusted.
 */
int caches_closure(struct caches *c, const char *system, const struct closure *have,
                   struct closure *out, const char **toplevel, struct err *err);

/* Path number i of the closure comes compressed in a way that costs much time. */
bool caches_is_slow(const struct caches *c, size_t i);

/* The order in which NARs will be fetched: downloads run ahead of it. Copied. */
void caches_order(struct caches *c, const size_t *order, size_t n);

struct nar_fetch;

/*
 * Begin to fetch the NAR of path i; the first time (again == false) from
 * whoever is best, then from the next. 1: nobody is left.
 */
int caches_fetch(struct caches *c, size_t i, bool again, struct nar_fetch **out, struct err *err);
/*
 * As nar_source.read. The end is reported only where all of it was as promised:
 * size, hashes, compression. Else an error that names path, cache, what was
 * expected and what came.
 */
int nar_fetch_read(void *f, void *p, size_t n, size_t *got, struct err *err);
/*
 * What was read so far is no NAR, says *err. Reads on to its end: where that is
 * not as promised, *err says so instead. Returns -err->code.
 */
int nar_fetch_refused(struct nar_fetch *f, struct err *err);
void nar_fetch_free(struct nar_fetch *f);

/* Warn that one NAR was bad, and comes from elsewhere. */
void caches_elsewhere(struct caches *c, const struct err *err);

/* Nothing more is wanted: whoever fetches gets -ERR_INTERRUPTED soon. */
void caches_cancel(struct caches *c);
/* Bytes that came over the network so far. */
uint64_t caches_received(const struct caches *c);

#endif
