/* SPDX-License-Identifier: MIT */
/*
 * Downloads kept on this host, so that the next guest downloads only new paths.
 *
 *     DIR/nar/HASH.nar.xz         by the NAR's hash, compressed as downloaded
 *     DIR/narinfo/HASH.narinfo    by cache and path
 *
 * Nothing in it is trusted: its files are verified like downloads, and removed if
 * they are wrong.
 */
#ifndef CACHE_CACHE_DIR_H
#define CACHE_CACHE_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct cache_dir;

/*
 * make: create the directory if it is missing, accessible to this user only. Else
 * -ERR_NOENT if it is missing, and no file will be added or removed.
 */
int cache_dir_open(const char *path, bool make, struct cache_dir **out, struct err *err);
void cache_dir_free(struct cache_dir *d);

/* A kept file, open for reading; the caller closes it. -1: there is none. */
int cache_dir_get(const struct cache_dir *d, const char *name);
/*
 * A file without a name, for cache_dir_keep(); the caller closes it. 1: downloads
 * are not kept.
 */
int cache_dir_begin(const struct cache_dir *d, int *fd, struct err *err);
/*
 * Give it its name, replacing the file of that name, which was invalid. If this
 * fails, the file is not kept; that is no error.
 */
void cache_dir_keep(const struct cache_dir *d, int fd, const char *name);
void cache_dir_drop(const struct cache_dir *d, const char *name);

/* Read a small file whole. 1: there is none. */
int cache_dir_read(const struct cache_dir *d, const char *name, size_t limit, struct buf *out);
void cache_dir_write(const struct cache_dir *d, const char *name, struct str bytes);

struct cache_dir_usage {
	uint64_t files, bytes;
};

/* Count the kept files; remove them if remove is set. */
int cache_dir_usage(const struct cache_dir *d, bool remove, struct cache_dir_usage *out,
                    struct err *err);

#endif
