/* SPDX-License-Identifier: MIT */
/*
 * What menus call devices and files, resolved against the table of files.h.
 *
 *     file   = [ "(" device ")" ] path
 *     device = disk [ "," [ scheme ] NUMBER ]     scheme: msdos, gpt; none: either
 *            | "lvm/" GROUP "-" VOLUME | "lvmid/" UUID "/" UUID | "md/" NAME | "mduuid/" UUID
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

/* What the names in a menu are relative to. */
struct file_base {
	struct grub_files *files;
	struct str root; /* the device of a name without one */
	unsigned first;  /* as for device_find() */
	size_t home;     /* the device that the menu lies on */
};

/*
 * device_find() for reading a file: a whole disk that has partitions and no file
 * system stands for its partition that holds the menu, as in pygrub; *moved (may
 * be NULL) tells whether it did.
 */
int device_locate(const struct file_base *base, struct str name, size_t *dev, bool *moved,
                  struct err *err);

/*
 * Split "(dev)/path" (or "/path", on the root) and look the device up; *path
 * gets the tidied path, appended.
 */
int file_locate(const struct file_base *base, struct str name, size_t *dev, struct buf *path,
                bool *moved, struct err *err);

/*
 * A path as files.h wants it: without empty and "." components, ".." resolved
 * by name, never above "/". Appended to *out.
 */
void path_tidy(struct str path, struct buf *out);

/* A file that is there and regular, else -ERR_NOENT or what stat said. */
int file_check(struct grub_files *files, size_t dev, struct str path, struct err *err);

#endif
