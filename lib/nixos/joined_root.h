/* SPDX-License-Identifier: MIT */
/* The root of a guest that has no ext4 with a /nix/store directly on a disk or partition. */
#ifndef NIXOS_JOINED_ROOT_H
#define NIXOS_JOINED_ROOT_H

#include "base/err.h"

struct off_guest;

/*
 * Find it on the guest's disks: off->disks, off->joined, and root and boot, which are the same
 * view. -ERR_NOENT: no file system has a /nix/store; -ERR_UNSUPPORTED: it is on one that cannot be
 * changed, and off->any_root is not set.
 */
int joined_root(struct off_guest *off, struct err *err);
void joined_root_fini(struct off_guest *off);

#endif
