/* SPDX-License-Identifier: MIT */
#ifndef DOMSTRAP_SETTLE_H
#define DOMSTRAP_SETTLE_H

#include "base/err.h"

/*
 * Libraries look around the host when they are first used: for random numbers, the processor,
 * their configuration. In a jail they could not, so whoever starts a process uses them once
 * before: jansson, SQLite, libcrypto. The second call does nothing. (The C library's own are
 * jail_start()'s.)
 */
int settle_libraries(struct err *err);

#endif
