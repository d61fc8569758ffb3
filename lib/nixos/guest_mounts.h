/* SPDX-License-Identifier: MIT */
/* A guest's file systems, mounted as its fstab and its kernel's arguments say. */
#ifndef NIXOS_GUEST_MOUNTS_H
#define NIXOS_GUEST_MOUNTS_H

#include "base/buf.h"
#include "fs/view.h"
#include "guest/disks.h"

/* Borrowed. */
struct guest_mounts {
	struct disks *d;
	struct str fstab;
	const char *args;     /* of the kernel: root=, rootflags=; NULL: not known */
	struct fs *root;      /* what is the root if neither says so; NULL: nothing */
	struct fs_subvol sub; /* of that */
	struct buf *notes;    /* lines about what is on none of the disks */
};

/*
 * The tree; fs_free() ends it. Lines of other kinds of file systems are left out. -ERR_NOENT: the
 * root is on none of the disks.
 */
int guest_mounts_view(const struct guest_mounts *m, struct fs **out, struct err *err);

#endif
