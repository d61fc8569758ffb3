/* SPDX-License-Identifier: MIT */
/* File name patterns: (hd*)/boot/vmlinuz-*, where each word of a script may be one. */
#ifndef GRUB_WILDCARD_H
#define GRUB_WILDCARD_H

#include "grub/exec.h"

/*
 * Append the names that a pattern (see glob_matches()) matches, in the order of
 * their directories; none where nothing matches. Returns 0 or -ERR_LIMIT.
 */
int wildcard_expand(struct exec *x, struct str pattern, struct grub_texts *out, struct err *err);

#endif
