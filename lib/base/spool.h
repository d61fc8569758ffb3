/* SPDX-License-Identifier: MIT */
/*
 * An unnamed temporary file, for data that is too large for memory. Nothing is
 * left behind, even after kill -9.
 */
#ifndef BASE_SPOOL_H
#define BASE_SPOOL_H

#include "base/err.h"

/* Create one in a directory; the caller closes *fd. */
int spool_open(const char *dir, int *fd, struct err *err);

/* Seek to the start, to read what was written. */
int spool_rewind(int fd, struct err *err);

#endif
