/* SPDX-License-Identifier: MIT */
/*
 * A file that never gets a name: for what is too large for memory and is
 * wanted in this run only. Nothing of it is left behind, even by kill -9.
 */
#ifndef BASE_SPOOL_H
#define BASE_SPOOL_H

#include "base/err.h"

/* In a directory; *fd is the caller's to close. */
int spool_open(const char *dir, int *fd, struct err *err);

/* Back to its start: what was written is read next. */
int spool_rewind(int fd, struct err *err);

#endif
