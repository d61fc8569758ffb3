/* SPDX-License-Identifier: MIT */
/*
 * Versions in the order of Boot Loader Specification menus (UAPI version
 * format): runs of digits by value, runs of letters by byte; "~" comes first,
 * then the end of the text, then "-", "^", "." and the rest.
 */
#ifndef GRUB_VERCMP_H
#define GRUB_VERCMP_H

#include "base/str.h"

int version_cmp(struct str a, struct str b);

/*
 * Names of packages, NAME-VERSION-RELEASE, as Fedora's GRUB orders them: rpm's order for each of
 * the three, with "+" after the end of the text and before all else. Different names may be equal.
 */
int package_cmp(struct str a, struct str b);

/* A shell pattern: * ? [set] [!set], "\" quotes; the whole text must match. */
bool glob_matches(struct str pattern, struct str text);

#endif
