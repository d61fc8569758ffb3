/* SPDX-License-Identifier: MIT */
/* What caches*.c, cache_*.c and nar_fetch.c share; for lib/cache only. */
#ifndef CACHE_CACHES_INTERNAL_H
#define CACHE_CACHES_INTERNAL_H

#include <pthread.h>

#include "cache/cache.h"
#include "cache/cache_dir.h"
#include "cache/caches.h"
#include "cache/unpacker.h"
#include "store/local.h"

/* A cache, or a local store. */
struct supplier {
	struct cache *cache;
	struct local_store *local;
	const char *name; /* borrowed */
	unsigned priority;
	size_t given; /* place on the command line */
	bool out;     /* failed too often, or has no nix-cache-info: not queried any more */
	unsigned failures;
};

/* How to fetch one path; the rest is in its struct path_info. */
struct offer {
	size_t supplier;
	bool from_kept;          /* its narinfo is a kept one, and may be outdated */
	char *url, *compression; /* of a cache */
	uint64_t file_size;      /* 0: unknown */
	/* Content-addressed: its contents are verified in place of a signature. */
	bool by_contents;
	uint8_t contents[HASH_SHA256_LEN];
	size_t next;              /* the supplier to try next, see nar_fetch.c */
	bool opened;              /* was asked for: do not download it ahead */
	struct cache_file *ahead; /* a download that was begun ahead */
	uint64_t ahead_bytes;
	size_t ahead_from; /* its supplier */
};

struct caches {
	struct caches_options opt;
	struct http *http; /* NULL: no cache is remote */
	struct unpacker *unpacker;
	struct supplier suppliers[CACHES_MAX];
	size_t n;
	struct cache_dir *dir; /* NULL: nothing is kept */
	bool dir_failed;       /* nothing more is kept; a warning was given */
	/* after caches_closure() */
	struct path_info *paths; /* the closure's */
	struct offer *offers;
	size_t n_paths;
	/* downloads that run ahead */
	pthread_mutex_t lock;
	size_t *order;
	size_t n_order, next_order;
	uint64_t ahead_bytes;
	size_t ahead_n;
};

void offer_fini(struct offer *o);
void caches_warn(const struct caches *c, const struct err *err);

/* A file for a download's copy, or -1. */
int caches_begin_copy(struct caches *c);
/* It could not be written: warn once, and keep nothing more. */
void caches_copy_failed(struct caches *c, const struct err *err);

/* The name of a supplier's narinfo in the directory of downloads. */
#define KEPT_NAME_SIZE 128
void caches_kept_name(const struct caches *c, size_t supplier, struct str digest,
                      char out[static KEPT_NAME_SIZE]);

/*
 * Ask a supplier for a path whose NAR another supplier failed to provide, and set
 * *o to its offer. 1: it does not have the same NAR.
 */
int caches_ask_other(struct caches *c, const struct path_info *info, struct offer *o,
                     size_t supplier, struct err *err);

/* Fill in *pi from a narinfo, except its references. */
void path_info_set(struct path_info *pi, const struct narinfo *info);

#define NARINFO_WINDOW NARINFO_BYTES_MAX
/* A supplier that failed to answer so often is not queried any more. */
#define FAILURES_MAX 3u

/*
 * Whether a narinfo is trusted. If it is, provided that its NAR has certain
 * contents, by_contents and contents[] of *o are set.
 */
int caches_trust(const struct caches *c, const struct narinfo *info, struct offer *o,
                 struct err *err);
/* Fill in how the path of a narinfo is fetched. */
void offer_set(struct offer *o, const struct narinfo *info, size_t supplier);

/* Bytes buffered for the reader of one download. Files up to this size are fetched ahead. */
#define NAR_WINDOW (8u << 20)

/* The name of a path's download in the directory of downloads. */
void offer_dir_name(const struct offer *o, const struct path_info *info, char *out, size_t n);
/* The largest size that its file may have. */
uint64_t offer_file_limit(const struct offer *o, const struct path_info *info);
/* Take the download that was begun ahead, or NULL, and begin further ones. */
struct cache_file *offer_take_ahead(struct caches *c, struct offer *o);

#endif
