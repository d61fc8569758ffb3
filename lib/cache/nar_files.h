/* SPDX-License-Identifier: MIT */
/*
 * Reads files of store paths in caches. The whole NAR of the path is fetched into
 * an unnamed file and verified. The NAR is kept until the rest of the closure is
 * fetched, so that it is downloaded only once.
 */
#ifndef CACHE_NAR_FILES_H
#define CACHE_NAR_FILES_H

#include "cache/caches.h"
#include "store/files.h"

/*
 * For a closure from these caches; everything is borrowed. Paths in have, which may be NULL, are
 * not fetched: here they do not exist. dir is for unnamed files. nar_files_free() frees the result
 * of nar_files_new().
 */
struct store_files *nar_files_new(struct caches *c, const struct closure *closure,
                                  const struct closure *have, const char *dir);
void nar_files_free(struct store_files *f);

/*
 * Fill in the outputs of the closure's derivations, as in Nix's database. Only
 * the derivation files name them.
 */
int nar_files_outputs(struct store_files *f, struct closure *closure, struct err *err);

/* Whether path i has been fetched; then *fd is its NAR, borrowed. Read it with pread(2) only. */
bool nar_files_has(const struct store_files *f, size_t i, int *fd);

#endif
