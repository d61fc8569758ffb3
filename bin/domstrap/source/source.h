/* SPDX-License-Identifier: MIT */
/*
 * Where a system comes from: the local store, or caches.
 */
#ifndef DOMSTRAP_SOURCE_H
#define DOMSTRAP_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "cache/caches.h"
#include "ui/conf.h"
#include "image/stream_fill.h"
#include "store/closure.h"
#include "store/files.h"
#include "store/local.h"
#include "ui/text_list.h"

/* As given; strings are argv's. */
struct source_options {
	struct text_list from;         /* "auto", roots, URLs; empty: auto */
	struct text_list trusted_keys; /* beside those of the configuration */
	bool no_check_sigs;
	bool no_sigs;          /* keep signatures out of the guest's database */
	unsigned jobs;         /* 0: as configured */
	const char *cache_dir; /* NULL: as configured; "none" */
	const char *conf;      /* NULL: CONF_FILE, if it exists */
	bool dry_run;          /* nothing is kept */
};

extern const struct option_row source_rows[7];

/* Where one closure comes from: either store or caches is NULL. */
struct system_source {
	struct local_store *store;
	struct caches *caches;
	struct store_files *files; /* for reading files of the system; owned */
	struct store_files host;   /* files, if the source is a local store */
	struct closure closure;
	const char *toplevel; /* borrowed from closure */
	/* The paths to copy, in the closure's order: all, or those that the guest lacks. */
	struct store_item *items;
	size_t n_items;
	size_t *numbers;             /* their indices in the closure */
	struct store_source trees;   /* of a local store */
	struct stream_source stream; /* of either */
	bool verify;                 /* compare NAR hashes of a local store; may be set later */
	struct conf conf;
	struct public_key keys[2 * LIST_MAX];
	size_t n_keys;
	char *cache_dir;
	char *netrc; /* NULL: the user's own */
};

/* Which system is wanted. All borrowed. */
struct source_request {
	const char *system;    /* a store path, its 32 digits, or, of a local store, a link */
	const char *spool_dir; /* for nameless files */
	/*
	 * The guest's paths, which are not needed; only their names, NAR sizes and references are
	 * used. NULL for a new guest.
	 */
	const struct closure *have;
	const atomic_bool *stop;
};

/* Find the system and its closure. */
int source_open(struct system_source *s, const struct source_options *opt,
                const struct source_request *req, struct err *err);
void source_fini(struct system_source *s);

/*
 * The paths of c that are not in have (NULL: all), in its order: the caller frees *items, whose
 * names are borrowed, and *numbers, their indices in c. Returns their number.
 */
size_t source_items(const struct closure *c, const struct closure *have, struct store_item **items,
                    size_t **numbers);

/* Fill in what follows from the closure: items, numbers, trees and stream. */
void source_list(struct system_source *s, const struct closure *have);

/* A directory for unnamed files if there is no better one: TMPDIR or fallback. */
const char *source_tmp(const char *fallback);

/* The directory for downloads, or NULL; the caller owns it. */
char *source_cache_dir(const char *option, const struct conf *conf);

#endif
