/* SPDX-License-Identifier: MIT */
/* Where menus lie, in the order in which they are looked for: pygrub's, then BLS. */
#ifndef GRUB_PLACES_H
#define GRUB_PLACES_H

#include "grub/menu.h"

struct grub_place {
	const char *path; /* for BLS the directory that has entries/ */
	enum grub_dialect dialect;
};

extern const struct grub_place grub_places[];
extern const size_t grub_place_count;

#endif
