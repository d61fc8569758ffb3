/* SPDX-License-Identifier: MIT */
#ifndef STORE_SETTLE_H
#define STORE_SETTLE_H

#include "base/err.h"

/*
 * Initialises jansson and SQLite before a jail is started: when they are first used, they read
 * random numbers, which a jail forbids. (jail_start() does the same for the C library.)
 */
int settle_libraries(struct err *err);

/* The same for libcrypto, which reads its configuration: for processes that hash. */
void settle_hashes(void);

#endif
