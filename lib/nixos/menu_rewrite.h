/* SPDX-License-Identifier: MIT */
/*
 * The boot menu of a guest that is off, written again for the generations that
 * it has now, in the manner of the menu that is there.
 */
#ifndef NIXOS_MENU_REWRITE_H
#define NIXOS_MENU_REWRITE_H

#include "nixos/guest_state.h"

/* What a menu is to be. */
struct menu_wish {
	const struct generation *current; /* boots by default */
	unsigned limit;                   /* generations that it shows; 0: as many as now */
	enum trial_step trial;
	const struct generation *tried; /* BEGIN, KEEP: what the next start boots; NULL: the same */
};

/*
 * Put menu, copied kernels and GRUB's environment block into the boot file system's
 * changes; kernels come out of the root's store. Which menu it is
 * say off->menu_kind and menu_path. A guest without a menu (its host has the
 * kernel) keeps none: that is 1. -ERR_SPACE: /boot is too small;
 * -ERR_UNSUPPORTED: a menu that is not written here.
 */
int menu_rewrite(struct off_guest *off, const struct guest_state *in, const struct menu_wish *wish,
                 struct err *err);

/*
 * Whether menu_rewrite() can write the menu that is there, before anything is changed: 0,
 * 1: there is none, -ERR_UNSUPPORTED with what to do in the text.
 */
int menu_rewrite_check(struct off_guest *off, struct err *err);

#endif
