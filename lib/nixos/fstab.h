/* SPDX-License-Identifier: MIT */
/*
 * What a system's etc/fstab says of its mount points; see fstab(5).
 *
 *     line = DEVICE MOUNTPOINT TYPE OPTIONS ...     blanks between, "#" begins a comment
 */
#ifndef NIXOS_FSTAB_H
#define NIXOS_FSTAB_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

enum fstab_by {
	FSTAB_DEVICE, /* "/dev/xvda1", or anything else */
	FSTAB_LABEL,  /* LABEL=x, /dev/disk/by-label/x: value is the label */
	FSTAB_UUID,   /* UUID=x, /dev/disk/by-uuid/x: value is the UUID */
};

/* Borrowed from the text, escapes as they stand. */
struct fstab_entry {
	enum fstab_by by;
	struct str value;
	struct str mountpoint, type, options;
};

/* The next entry of a text, which is shortened by it. false: there is none. */
bool fstab_next(struct str *text, struct fstab_entry *out);
/* The first entry for a mount point. false: there is none. */
bool fstab_find(struct str text, const char *mountpoint, struct fstab_entry *out);
/* A device as the first word of a line, or the kernel's root=, has it: sets by and value. */
void fstab_source(struct str source, struct fstab_entry *out);

/* The last value of an option, "subvol" of "ro,subvol=@"; p NULL: it has none. */
struct str fstab_option(struct str options, const char *name);
/* Whether the option is there, without a value. */
bool fstab_has_option(struct str options, const char *name);

/*
 * Whether a path of /dev is the logical volume that GRUB calls name: "/dev/mapper/v--g-root" and
 * "/dev/v-g/root" are "lvm/v--g-root".
 */
bool fstab_is_volume(struct str path, const char *name);

/* Append a word with its escapes resolved: "\040" is a blank. */
void fstab_unescape(struct str word, struct buf *out);

#endif
