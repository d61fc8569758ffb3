/* SPDX-License-Identifier: MIT */
/*
 * Versions in the order that Boot Loader Specification menus are in (UAPI
 * version format, which agrees with rpm's on the names of kernels): runs of
 * digits by value, runs of letters by byte, "~" before everything, then the
 * end, then "-", "^", "." and the rest.
 */
#ifndef GRUB_VERCMP_H
#define GRUB_VERCMP_H

#include "base/str.h"

int version_cmp(struct str a, struct str b);

/* A shell pattern: * ? [set] [!set], "\" quotes; the whole text must match. */
bool glob_matches(struct str pattern, struct str text);

#endif
