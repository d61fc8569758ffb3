/* SPDX-License-Identifier: MIT */
/*
 * Block devices that are about to be overwritten.
 */
#ifndef EXT4_DEVICE_H
#define EXT4_DEVICE_H

#include "base/err.h"

/*
 * Whether a device holds something that libblkid knows: a file system, a
 * partition table, LVM, md, swap. Then -ERR_EXISTS, and the text says what.
 */
int device_check_empty(int fd, const char *name, struct err *err);

#endif
