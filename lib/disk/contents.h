/* SPDX-License-Identifier: MIT */
/*
 * Names what is on a disk or partition that domstrap and domgrub cannot read, by
 * its magic bytes, for messages. Nothing but the magic is checked.
 */
#ifndef DISK_CONTENTS_H
#define DISK_CONTENTS_H

#include "disk/window.h"

/* "LVM2", "ZFS", "a qcow2 image"; static. NULL: unknown. */
const char *contents_name(const struct window *w);

#endif
