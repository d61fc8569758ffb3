/* SPDX-License-Identifier: MIT */
/* The two halves of the extlinux dialect, see extlinux.h. */
#ifndef GRUB_EXTLINUX_ENTER_H
#define GRUB_EXTLINUX_ENTER_H

#include "grub/menu.h"

int extlinux_load(struct grub_menu *m, struct str text, struct err *err);
int extlinux_enter(struct grub_menu *m, const struct grub_entry *e, struct str body,
                   struct grub_boot *boot, struct grub_menu **next, struct err *err);

/* A file name, relative to the menu's directory, as a path; appended. */
void extlinux_path(const struct grub_menu *m, struct str name, struct buf *path);

#endif
