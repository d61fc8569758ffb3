/* SPDX-License-Identifier: MIT */
/* Filling a struct grub_boot, for all dialects. */
#ifndef GRUB_BOOT_H
#define GRUB_BOOT_H

#include "grub/device.h"
#include "grub/menu.h"

/* Forget the kernel, its arguments and ramdisks. */
void boot_unload(struct grub_boot *boot);
void boot_drop_initrds(struct grub_boot *boot);
/*
 * Look up a kernel, or one more ramdisk, by the name that a menu gives it, "(dev)/path"
 * or "/path". 0 or -ERR_*.
 */
int boot_set_kernel(struct grub_boot *boot, const struct file_base *base, struct str name,
                    struct err *err);
int boot_add_initrd(struct grub_boot *boot, const struct file_base *base, struct str name,
                    struct err *err);

void writes_copy(struct grub_writes *to, const struct grub_writes *from);
void writes_fini(struct grub_writes *w);
/* The pending state of a file; NULL: none. */
struct grub_write *writes_find(const struct grub_writes *w, size_t dev, struct str path);
/* Takes over data. */
void writes_put(struct grub_writes *w, size_t dev, struct str path, struct buf *data);

#endif
