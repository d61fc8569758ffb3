/* SPDX-License-Identifier: MIT */
/*
 * Untrusted text in an error message: escaped by str_escape(), and shortened,
 * with "..." at its end, if it is long.
 */
#ifndef BASE_SHOW_H
#define BASE_SHOW_H

#include "base/str.h"

#define SHOW_SIZE 320

/* Returns out. */
const char *show_str(struct str s, char out[static SHOW_SIZE]);

#endif
