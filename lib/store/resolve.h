/* SPDX-License-Identifier: MIT */
/*
 * Following links as somebody inside a root would. The store's links are
 * absolute (/nix/store/…), and a root that is not "/" must not send us to the
 * host's store. Inside lib/store only.
 */
#ifndef STORE_RESOLVE_H
#define STORE_RESOLVE_H

#include "base/err.h"

struct store_files;

/*
 * The root as links in it see it: absolute, without links itself, and without
 * a slash at its end ("" for "/"). The caller owns it.
 */
int resolve_root(const char *root, char **out, struct err *err);

/*
 * Follow path to what it names in the end, which must be in the store of these
 * files. Give its path as seen from within their root, "/nix/store/…"; the
 * caller owns it. A path that starts with /nix/store/ is looked up there; any
 * other is the host's, until it leads into the root.
 * -ERR_NOENT: not there; -ERR_USAGE: it does not lead into the store;
 * -ERR_FORMAT: it leads out of the store again, or in circles.
 */
int resolve_in_store(struct store_files *files, const char *path, char **out, struct err *err);

#endif
