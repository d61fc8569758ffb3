/* SPDX-License-Identifier: MIT */
/*
 * A set of store paths that is closed under references, with their data from the
 * Nix database or from binary caches. The image's file system and database are
 * made from it.
 */
#ifndef STORE_CLOSURE_H
#define STORE_CLOSURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "nix/hash.h"

/* More paths, or references in all, than any system has. */
#define CLOSURE_PATHS_MAX (1u << 20)
#define CLOSURE_REFS_MAX (1u << 25)
/* Bytes of a path's signatures, and of its content address. */
#define CLOSURE_SIGS_MAX (1u << 16)
#define CLOSURE_CA_MAX 1024
/* Outputs of one derivation. */
#define CLOSURE_OUTPUTS_MAX 256

/* An output of a .drv path, as its text says; the path need not exist. */
struct drv_output {
	char *id; /* such as "out" */
	char *path;
};

struct path_info {
	char *path; /* "/nix/store/…" */
	uint8_t nar_hash[HASH_SHA256_LEN];
	uint64_t nar_size;         /* bytes; 0: not known, in old databases */
	int64_t registration_time; /* seconds since 1970 */
	char *deriver;             /* NULL: not known */
	char *sigs;                /* blank-separated; NULL: none */
	char *ca;                  /* content address; NULL: none */
	bool ultimate;             /* built here */
	uint32_t *refs;            /* indices into the closure, ascending; may include its own */
	size_t nrefs;
	struct drv_output *outputs; /* in byte order of id; only .drv paths have any */
	size_t noutputs;
};

/* Owns everything. Paths are in byte order, each once. */
struct closure {
	struct path_info *paths;
	size_t n;
};

void closure_fini(struct closure *c);
void path_info_fini(struct path_info *info);
/* The path's entry, borrowed from c; NULL: not in it. */
const struct path_info *closure_find(const struct closure *c, const char *path);
/* The same by the path's name without "/nix/store/", or by its 32 digits alone. */
const struct path_info *closure_find_base(const struct closure *c, struct str base);
/* Everything but the references; *to is for path_info_fini(). */
void path_info_copy(const struct path_info *from, struct path_info *to);
/*
 * -ERR_FORMAT if a path refers to itself through other paths, or is there twice. A
 * direct reference to itself is allowed.
 */
int closure_check_cycles(const struct closure *c, struct err *err);
/* The paths i of c with keep[i]. *out is a copy. */
void closure_filter(const struct closure *c, const bool *keep, struct closure *out);
/*
 * The paths of have, and those only in add, registered at time and not ultimate.
 * *out is a copy.
 */
void closure_union(const struct closure *have, const struct closure *add, int64_t time,
                   struct closure *out);
/* The first path that cannot be reached by references from path number from;
 * NULL: all can. */
const struct path_info *closure_unreached(const struct closure *c, size_t from);
/* Bytes of all the NARs. */
uint64_t closure_nar_size(const struct closure *c);

#endif
