/* SPDX-License-Identifier: MIT */
/* What the fuzz targets of this room do with a menu once they have one. */
#ifndef GRUB_TEST_EXPLORE_H
#define GRUB_TEST_EXPLORE_H

#include "grub/test/fake.h"

/* Small enough that no input takes long, large enough to be met at times. */
extern const struct grub_limits explore_limits;

/* A guest with a kernel, ramdisks, an environment block and entries. */
extern const char explore_disks[];

/* Go through entries and submenus, boot by itself, run text as a shell line. */
void explore_menu(struct grub_menu *m, struct str text);

/* Load text as a menu of explore_disks and explore it. */
void explore_text(enum grub_dialect dialect, struct str text);

#endif
