/* SPDX-License-Identifier: MIT */
/*
 * Where a system sees files below /etc of its root. With system.etc.overlay its initrd mounts an
 * overlay there, made of parts in the store and, if it is mutable, a directory of the root.
 */
#ifndef INSPECTOR_ETC_PLACE_H
#define INSPECTOR_ETC_PLACE_H

#include "nixos/system.h"
#include "store/files.h"

enum etc_place {
	ETC_PLAIN,   /* in /etc */
	ETC_UPPER,   /* in NIXROOT_ETC_UPPER */
	ETC_NOWHERE, /* the overlay is read-only */
	ETC_UNKNOWN, /* an overlay of a kind that the initrd does not show */
};

/*
 * boot.json shows whether it is an overlay, the units in the initrd of which kind; the initrd is
 * read in a jail. initrd: a file of the host to read instead of the system's, or NULL.
 */
int etc_place_find(struct store_files *files, const struct nixos_system *s, const char *initrd,
                   enum etc_place *out, struct err *err);

/* The same in a process that is in a jail itself. */
int etc_place_inside(struct store_files *files, const struct nixos_system *s, enum etc_place *out,
                     struct err *err);

/* The directory, or NULL if no directory is known that the guest sees. */
const char *etc_place_dir(enum etc_place place);
/* The reason why there is none. */
const char *etc_place_reason(enum etc_place place);

#endif
