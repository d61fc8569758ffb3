/* SPDX-License-Identifier: MIT */
/*
 * Whether a running guest (asks xl) or a loop device uses a disk. Locks and exclusive opens are
 * done by target_open_existing().
 */
#ifndef DOMSTRAP_BUSY_H
#define DOMSTRAP_BUSY_H

#include <stddef.h>

#include "base/err.h"

/* -ERR_BUSY: one of the disks is in use; the text says by what. */
int busy_check(char *const *paths, size_t n, struct err *err);

#endif
