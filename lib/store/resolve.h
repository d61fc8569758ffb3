/* SPDX-License-Identifier: MIT */
/*
 * Following symbolic links as in a chroot. The store's links are absolute
 * (/nix/store/…), and must not lead from a root other than "/" to the host's store.
 * Only for lib/store.
 */
#ifndef STORE_RESOLVE_H
#define STORE_RESOLVE_H

#include "base/err.h"

struct store_files;

/*
 * The real path of the root: absolute, without symbolic links and without a
 * trailing slash ("" for "/"). The caller owns it.
 */
int resolve_root(const char *root, char **out, struct err *err);

/*
 * Follow all links of path; the result must be in the store of these files. *out
 * is the resulting path in their root, "/nix/store/…"; the caller owns it. A path
 * that starts with /nix/store/ is looked up in the root; any other path is on the
 * host, until it leads into the root.
 * -ERR_NOENT: it does not exist; -ERR_USAGE: it does not lead into the store;
 * -ERR_FORMAT: it leads out of the store again, or the links form a loop.
 */
int resolve_in_store(struct store_files *files, const char *path, char **out, struct err *err);

#endif
