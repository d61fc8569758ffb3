/* SPDX-License-Identifier: MIT */
/*
 * Downloads kept on this host, so that the next guest needs only what is new.
 *
 *     DIR/nar/HASH.nar.xz         by the NAR's own hash, compressed as it came
 *     DIR/narinfo/HASH.narinfo    by cache and path
 *
 * Nothing in it is trusted: what comes out is checked as if it came from the
 * network, and dropped where it is not what it should be.
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
 * make: the directory is made where it is missing, for this user alone. Else
 * -ERR_NOENT where it is, and nothing will be kept in it or dropped.
 */
int cache_dir_open(const char *path, bool make, struct cache_dir **out, struct err *err);
void cache_dir_free(struct cache_dir *d);

/* A kept file, open for reading; the caller closes it. -1: there is none. */
int cache_dir_get(const struct cache_dir *d, const char *name);
/*
 * A file without a name, for cache_dir_keep(); the caller closes it. 1: nothing
 * is to be kept.
 */
int cache_dir_begin(const struct cache_dir *d, int *fd, struct err *err);
/*
 * Give it its name, in the place of what has it: that was of no use. Failing is
 * not an error: it is just not kept.
 */
void cache_dir_keep(const struct cache_dir *d, int fd, const char *name);
void cache_dir_drop(const struct cache_dir *d, const char *name);

/* A small file at once. 1: there is none. */
int cache_dir_read(const struct cache_dir *d, const char *name, size_t limit, struct buf *out);
void cache_dir_write(const struct cache_dir *d, const char *name, struct str bytes);

struct cache_dir_usage {
	uint64_t files, bytes;
};

/* Count what is kept, and remove it where remove is set. */
int cache_dir_usage(const struct cache_dir *d, bool remove, struct cache_dir_usage *out,
                    struct err *err);

#endif
