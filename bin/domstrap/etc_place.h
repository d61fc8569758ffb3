/* SPDX-License-Identifier: MIT */
/*
 * Where a system sees what lies below /etc on its root. With system.etc.overlay its
 * initrd mounts an overlay there, of parts in the store and, where it is mutable, of a
 * directory of the root's.
 */
#ifndef DOMSTRAP_ETC_PLACE_H
#define DOMSTRAP_ETC_PLACE_H

#include "nixos/system.h"
#include "store/files.h"

enum etc_place {
	ETC_PLAIN,   /* in /etc */
	ETC_UPPER,   /* in NIXROOT_ETC_UPPER */
	ETC_NOWHERE, /* the overlay is read-only */
	ETC_UNKNOWN, /* an overlay; what kind the initrd does not say */
};

/*
 * boot.json says that it is an overlay, the units in the initrd say of which kind; they
 * are read in a jail. initrd: a file of the host in place of the system's; NULL: none.
 */
int etc_place_find(struct store_files *files, const struct nixos_system *s, const char *initrd,
                   enum etc_place *out, struct err *err);

/* The directory; NULL where there is none that the guest is known to see. */
const char *etc_place_dir(enum etc_place place);
/* Why there is none: what its /etc is. */
const char *etc_place_reason(enum etc_place place);

#endif
