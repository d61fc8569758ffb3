/* SPDX-License-Identifier: MIT */
/*
 * Messages for the user, on standard error, one line each, escaped. On a terminal lines end in CR
 * LF, because xl's terminal is raw.
 */
#ifndef DOMGRUB_SAY_H
#define DOMGRUB_SAY_H

#include <stdbool.h>

#include "base/str.h"

extern bool say_debugging;

/* While a menu is drawn, warnings are kept for later. */
void say_hold(bool hold);

void say_error(struct str text);
/* The same text is said once only. */
void say_warning(struct str text);
void say_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The end: print the messages that were held back. */
void say_fini(void);

#endif
