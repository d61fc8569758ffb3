/* SPDX-License-Identifier: MIT */
/*
 * Reading files of a store, on this host or in a cache. Paths are those in the
 * guest: "/nix/store/…".
 */
#ifndef STORE_FILES_H
#define STORE_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/walk.h"

struct store_files;

/* For a store that is not on this host. */
struct store_files_ops {
	/* The type of path; a link's target is appended. -ERR_NOENT. */
	int (*look)(struct store_files *f, const char *path, enum walk_kind *kind,
	            struct buf *target, struct err *err);
	/* The bytes of a regular file, appended; -ERR_LIMIT. NULL: open() is used. */
	int (*read)(struct store_files *f, const char *path, size_t limit, struct buf *out,
	            struct err *err);
	/* A regular file, from its first byte on; the caller closes it. NULL: not possible. */
	int (*open)(struct store_files *f, const char *path, int *fd, uint64_t *size,
	            struct err *err);
	/* Names, each followed by a NUL, in any order. NULL: not possible. */
	int (*list)(struct store_files *f, const char *path, struct buf *names, struct err *err);
};

/* Fill in with store_files_host(), or as the first member of another kind. */
struct store_files {
	const struct store_files_ops *ops; /* NULL: the host's files below root */
	char *root;                        /* see resolve_root(); "" with ops */
};

/* root as for local_store_open(). */
int store_files_host(struct store_files *f, const char *root, struct err *err);
void store_files_fini(struct store_files *f);

/* These follow links as in a chroot; see resolve_in_store(). */

/* The path of the file after following links; the caller owns *real. Not regular: -ERR_FORMAT. */
int store_files_find(struct store_files *f, const char *path, char **real, struct err *err);
/* Its bytes, appended. */
int store_files_read(struct store_files *f, const char *path, size_t limit, struct buf *out,
                     struct err *err);
int store_files_open(struct store_files *f, const char *path, int *fd, uint64_t *size,
                     struct err *err);
/* A directory's names in byte order; the caller frees each and the array. */
int store_files_list(struct store_files *f, const char *path, char ***names, size_t *n,
                     struct err *err);
/* The type of path itself, and a link's target, appended: as store_files_ops.look. */
int store_files_look(struct store_files *f, const char *path, enum walk_kind *kind,
                     struct buf *target, struct err *err);
/* Whether path itself exists: 0 if it does, 1 if not, or -ERR_*. */
int store_files_missing(struct store_files *f, const char *path, struct err *err);

#endif
