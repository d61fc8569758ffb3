/* SPDX-License-Identifier: MIT */
/*
 * Where a system comes from: the local store, or caches.
 */
#ifndef DOMSTRAP_SOURCE_H
#define DOMSTRAP_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "conf.h"
#include "image/stream_fill.h"
#include "store/caches.h"
#include "store/closure.h"
#include "store/files.h"
#include "store/local.h"
#include "text_list.h"

/* As given; strings are argv's. */
struct source_options {
	struct text_list from;         /* "auto", roots, URLs; empty: auto */
	struct text_list trusted_keys; /* beside those of the configuration */
	bool no_check_sigs;
	bool no_sigs;          /* keep signatures out of the guest's database */
	unsigned jobs;         /* 0: as configured */
	const char *cache_dir; /* NULL: as configured; "none" */
	const char *conf;      /* NULL: CONF_FILE, if it is there */
};

/* Where one closure comes from: either store or caches is NULL. */
struct source {
	struct local_store *store;
	struct caches *caches;
	struct store_files *files; /* to look into it; owned */
	struct store_files host;   /* where it is the host's */
	struct closure closure;
	const char *toplevel; /* borrowed from closure */
	/* of caches */
	struct stream_source stream;
	struct store_item *items; /* for both kinds, in the closure's order */
	struct conf conf;
	struct public_key keys[2 * LIST_MAX];
	size_t n_keys;
	char *cache_dir;
	bool quiet_retries;
};

/*
 * Find the system and its closure. spool_dir is for nameless files; system is a
 * store path, its 32 digits, or, of a local store, a link to one.
 */
int source_open(struct source *s, const struct source_options *opt, const char *system,
                const char *spool_dir, const atomic_bool *stop, struct err *err);
void source_fini(struct source *s);

/* The directory for downloads, or NULL; the caller owns it. */
char *source_cache_dir(const char *option, const struct conf *conf);

#endif
