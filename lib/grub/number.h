/* SPDX-License-Identifier: MIT */
/*
 * Numbers as GRUB's scripts have them:
 *
 *     number = { blank } [ "-" ] ( "0x" hex… | "0" octal… | digit… )
 */
#ifndef GRUB_NUMBER_H
#define GRUB_NUMBER_H

#include <stdint.h>

/*
 * The number that a text begins with; one that is too large becomes INT64_MAX.
 * Returns where it ends; NULL where there is none, and *out is 0.
 */
const char *number_parse(const char *s, int64_t *out);

#endif
