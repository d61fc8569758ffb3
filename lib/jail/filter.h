/* SPDX-License-Identifier: MIT */
/* The system call filter of a jail; only this room includes it. */
#ifndef JAIL_FILTER_H
#define JAIL_FILTER_H

#include "jail/jail.h"

/* gcc says so itself. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(SANITIZED)
#define SANITIZED 1
#endif
#endif

/* Load it for this process. From now on everything else kills. */
int filter_load(const struct jail_spec *spec, struct err *err);

#endif
