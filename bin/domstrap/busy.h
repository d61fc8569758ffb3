/* SPDX-License-Identifier: MIT */
/*
 * Whether somebody uses a disk: a running guest (asks xl), a loop device. Locks
 * and exclusive opens are target_open_existing()'s.
 */
#ifndef DOMSTRAP_BUSY_H
#define DOMSTRAP_BUSY_H

#include <stddef.h>

#include "base/err.h"

/* -ERR_BUSY: one of the disks is in use, and the text says by whom. */
int busy_check(char *const *paths, size_t n, struct err *err);

#endif
