/* SPDX-License-Identifier: MIT */
#ifndef STORE_SETTLE_H
#define STORE_SETTLE_H

#include "base/err.h"

/*
 * Initialises jansson, SQLite and libcrypto before a jail is started: when they are first used,
 * they read random numbers, facts about the processor and their configuration, which a jail
 * forbids. A second call does nothing. (jail_start() does the same for the C library.)
 */
int settle_libraries(struct err *err);

#endif
