/* SPDX-License-Identifier: MIT */
/* GRUB's image for PVH guests among the host's files (xen/grub_image.h). */
#ifndef DOMSTRAP_GRUB_KERNEL_H
#define DOMSTRAP_GRUB_KERNEL_H

#include <stdbool.h>

#include "base/err.h"

/* Whether a regular file is such an image. */
bool grub_kernel_is(const char *path);

/*
 * The absolute path of the one that is named, or with NULL of the first that
 * Debian's grub-xen-host or nixpkgs' grub2_pvhgrub_image has put in its place;
 * *out is owned. -ERR_NOENT, -ERR_FORMAT.
 */
int grub_kernel_find(const char *named, char **out, struct err *err);

#endif
