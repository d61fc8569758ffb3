/* SPDX-License-Identifier: MIT */
/*
 * Files of store paths that are in caches: a path that is looked into is
 * fetched as a whole into a nameless file, checked, and kept for when the rest
 * of the closure is fetched, so that it comes once.
 */
#ifndef CACHE_NAR_FILES_H
#define CACHE_NAR_FILES_H

#include "cache/caches.h"
#include "store/files.h"

/*
 * For a closure of these caches; all is borrowed. dir is for nameless files.
 * there: where the paths of have are, or NULL. nar_files_free() takes what
 * nar_files_new() gave.
 */
struct store_files *nar_files_new(struct caches *c, const struct closure *closure,
                                  const struct closure *have, struct store_files *there,
                                  const char *dir);
void nar_files_free(struct store_files *f);

/*
 * Fill in the outputs of the closure's derivations, which only their texts name,
 * as Nix's database has them.
 */
int nar_files_outputs(struct store_files *f, struct closure *closure, struct err *err);

/* Whether path i has been fetched: then *fd is its NAR, borrowed, to be read with pread(2). */
bool nar_files_has(const struct store_files *f, size_t i, int *fd);

#endif
