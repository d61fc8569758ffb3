/* SPDX-License-Identifier: MIT */
/*
 * What menus call devices and files, resolved against the table of files.h.
 *
 *     file   = [ "(" device ")" ] path
 *     device = disk [ "," [ scheme ] NUMBER ]     scheme: msdos, gpt; none: either
 *     disk   = "hd" NUMBER | "xen/" VDEV
 */
#ifndef GRUB_DEVICE_H
#define GRUB_DEVICE_H

#include "grub/files.h"

/*
 * The table index of a device, with or without parentheses. "first" is the
 * number of the first partition: 1, or 0 in GRUB legacy. A partition of a
 * disk that has none is the disk itself. 0 or -ERR_NOENT.
 */
int device_find(const struct grub_files *files, struct str name, unsigned first, size_t *dev,
                struct err *err);

/*
 * Split "(dev)/path" (or "/path", on "root") and look the device up; *path
 * gets the tidied path, appended.
 */
int file_locate(const struct grub_files *files, struct str name, struct str root, unsigned first,
                size_t *dev, struct buf *path, struct err *err);

/*
 * A path as files.h wants it: without empty and "." components, ".." resolved
 * by name, never above "/". Appended to *out.
 */
void path_tidy(struct str path, struct buf *out);

/* A file that is there and regular, else -ERR_NOENT or what stat said. */
int file_check(struct grub_files *files, size_t dev, struct str path, struct err *err);

#endif
