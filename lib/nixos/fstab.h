/* SPDX-License-Identifier: MIT */
/*
 * What a system's etc/fstab says of a mount point; see fstab(5).
 *
 *     line = DEVICE MOUNTPOINT TYPE ...     blanks between, "#" begins a comment
 */
#ifndef NIXOS_FSTAB_H
#define NIXOS_FSTAB_H

#include <stdbool.h>

#include "base/str.h"

enum fstab_by {
	FSTAB_DEVICE, /* "/dev/xvda1" */
	FSTAB_LABEL,  /* LABEL=x, /dev/disk/by-label/x: value is the label */
	FSTAB_UUID,   /* UUID=x, /dev/disk/by-uuid/x: value is the UUID */
};

struct fstab_entry {
	enum fstab_by by;
	struct str value; /* borrowed from the text, escapes as they stand */
	struct str type;
};

/* The first entry for a mount point. false: there is none. */
bool fstab_find(struct str text, const char *mountpoint, struct fstab_entry *out);

#endif
