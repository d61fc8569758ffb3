/* SPDX-License-Identifier: MIT */
/*
 * A file that has no name until it is complete. If the file system supports
 * O_TMPFILE, nothing is left behind even after kill -9; otherwise a hidden file
 * ".NAME.domstrap-new" is used, which the next run removes.
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
	char *tmp;               /* the hidden file's name in dir; NULL: none */
	bool published;
};

#define OUTFILE_INIT {.dirfd = -1, .fd = -1}

/*
 * Begin the file DIR/NAME with permission bits mode (less the umask). -ERR_BUSY
 * if another process is writing the same file.
 */
int outfile_open(struct outfile *o, const char *dir, const char *name, mode_t mode,
                 struct err *err);

/* -ERR_EXISTS if the file exists and replace is not set. Changes nothing. */
int outfile_check(const char *dir, const char *name, bool replace, struct err *err);

/*
 * Give the file its name, atomically. replace: replace an existing file.
 * The data must be synced before, the directory afterwards.
 */
int outfile_publish(struct outfile *o, bool replace, struct err *err);

/* Choose another name in the same directory, for a file that is not published yet. */
void outfile_rename(struct outfile *o, const char *name);

/* Sync the directory, with the names of this file and others. */
int outfile_sync_dir(struct outfile *o, struct err *err);

/* Remove the name of a published file. */
void outfile_unpublish(struct outfile *o);

/* Discard a file that was not published. */
void outfile_fini(struct outfile *o);

#endif
