/* SPDX-License-Identifier: MIT */
/*
 * What boots has to follow a change: whether it can is asked before there is one,
 * and whether it will before that is committed.
 */
#ifndef DOMSTRAP_FOLLOW_H
#define DOMSTRAP_FOLLOW_H

#include "inside.h"

/* -ERR_UNSUPPORTED where another generation cannot be made to boot, and what to do. */
int follow_check(struct offline *off, struct err *err);

/*
 * -ERR_* where not all that can boot is known: then nothing may be deleted. A menu that
 * cannot be written is a foreign one from here on.
 */
int follow_known(struct offline *off, struct err *err);

#endif
