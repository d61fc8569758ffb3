/* SPDX-License-Identifier: MIT */
/*
 * Text from outside inside an error message: escaped as str_escape() does, and
 * where it is long cut, with "..." at its end.
 */
#ifndef BASE_SHOW_H
#define BASE_SHOW_H

#include "base/str.h"

#define SHOW_SIZE 320

/* Returns out. */
const char *show_str(struct str s, char out[static SHOW_SIZE]);

#endif
