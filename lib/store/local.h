/* SPDX-License-Identifier: MIT */
/*
 * The Nix store of this host, or of a root directory (ROOT/nix/store, database
 * ROOT/nix/var/nix/db). It is only read, by any user with read permission, also
 * while other processes write to it.
 */
#ifndef STORE_LOCAL_H
#define STORE_LOCAL_H

#include "base/err.h"
#include "base/str.h"
#include "store/closure.h"

struct local_store;

/*
 * root is "" or "/" for the host's own store, or a directory such as "/mnt/x".
 * 0, or -ERR_NOENT: no store there; -ERR_BUSY: locked; -ERR_UNSUPPORTED: a
 * schema that this program does not know; -ERR_IO: not readable, and the text
 * says what to do; -ERR_FORMAT: damaged.
 */
int local_store_open(const char *root, struct local_store **out, struct err *err);
void local_store_free(struct local_store *s);
void local_store_freep(struct local_store **s);

/*
 * The closure of toplevel ("/nix/store/…"), including itself. *out is for
 * closure_fini(). 0, or -ERR_NOENT: not a valid path of this store;
 * -ERR_FORMAT: an invalid row; -ERR_LIMIT: see closure.h; -ERR_BUSY,
 * -ERR_IO. Memory is proportional to the closure.
 */
int local_store_closure(struct local_store *s, const char *toplevel, struct closure *out,
                        struct err *err);

/*
 * Compute nar_size of the paths of c without one (registered by old versions of
 * Nix): their trees are read and hashed. -ERR_MISMATCH if a hash does not match.
 */
int local_store_measure(const struct local_store *s, struct closure *c, struct err *err);

/*
 * The store path with this hash (32 characters), valid or not; the caller owns it.
 * NULL: there is none.
 */
char *local_store_find(const struct local_store *s, struct str digest);

/* The real path of a store path, with the root; the caller owns it. */
char *local_store_real_path(const struct local_store *s, const char *path);
/* The root as given, without trailing slashes: "" for the host. */
const char *local_store_root(const struct local_store *s);

#endif
