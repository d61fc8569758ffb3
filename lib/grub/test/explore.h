/* SPDX-License-Identifier: MIT */
/* What the fuzz targets for lib/grub do with a menu. */
#ifndef GRUB_TEST_EXPLORE_H
#define GRUB_TEST_EXPLORE_H

#include "grub/test/fake.h"

/* Small enough that no input takes long, large enough not to be reached always. */
extern const struct grub_limits explore_limits;

/* A guest with a kernel, ramdisks, an environment block and entries. */
extern const char explore_disks[];

/* Evaluate entries and submenus, boot the default entry, run text as a command line. */
void explore_menu(struct grub_menu *m, struct str text);

/* Load text as a menu of explore_disks and explore it. */
void explore_text(enum grub_dialect dialect, struct str text);

#endif
