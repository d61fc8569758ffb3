/* SPDX-License-Identifier: MIT */
/*
 * The root of a NixOS guest as its kernel mounts it, whatever file systems it consists of: XFS, a
 * btrfs with subvolumes, ext4 on a logical volume or on half of a mirror, a store of its own.
 *
 * A device, or a subvolume at the top of a btrfs, that has a store is only a candidate. Its system
 * (the one that the menu or the config boots, else the profile's) has an fstab, which says where
 * everything is; the kernel's root= and rootflags= come first. The root so found must have that
 * system in turn.
 */
#ifndef NIXOS_GUEST_ROOT_H
#define NIXOS_GUEST_ROOT_H

#include "base/buf.h"
#include "base/err.h"
#include "guest/disks.h"

struct booting_config;

struct guest_root {
	struct fs *view; /* the whole tree, see fs/view.h */
	size_t dev;      /* the device that has /nix/store */
};

/*
 * Find it on a guest's disks, which must outlive the view. What a person should know, such as a
 * line of the fstab that cannot be followed, is appended to notes, one line for each. 0; 1: no file
 * system has a store; -ERR_UNSUPPORTED: several have; -ERR_*.
 */
int guest_root_find(struct disks *d, const struct booting_config *config, struct guest_root *out,
                    struct buf *notes, struct err *err);
void guest_root_fini(struct guest_root *r);

#endif
