/* SPDX-License-Identifier: MIT */
/*
 * A file that has no name until it is whole. Where the host can do it
 * (O_TMPFILE) nothing is left behind even by kill -9; elsewhere a hidden file
 * ".NAME.domstrap-new" stands in, which the next run finds and removes.
 */
#ifndef BASE_OUTFILE_H
#define BASE_OUTFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct outfile {
	int dirfd;               /* of the directory it will be in; owned */
	int fd;                  /* owned */
	char *dir, *name, *path; /* path is dir/name, for messages; owned */
	char *tmp;               /* the stand-in's name in dir; NULL: has none */
	bool published;
};

#define OUTFILE_INIT {.dirfd = -1, .fd = -1}

/*
 * Begin the file DIR/NAME with permission bits mode (less the umask). -ERR_BUSY
 * where another process is making the same file now.
 */
int outfile_open(struct outfile *o, const char *dir, const char *name, mode_t mode,
                 struct err *err);

/* -ERR_EXISTS where the name is taken and replace is not set. Looks, no more. */
int outfile_check(const char *dir, const char *name, bool replace, struct err *err);

/*
 * Give the file its name, in one step. replace: also over one that is there.
 * The data must be synced before, the directory afterwards.
 */
int outfile_publish(struct outfile *o, bool replace, struct err *err);

/* The names that were given in its directory, by this file and others. */
int outfile_sync_dir(struct outfile *o, struct err *err);

/* Take the name back from a published file. */
void outfile_unpublish(struct outfile *o);

/* Drop what was not published. */
void outfile_fini(struct outfile *o);

#endif
