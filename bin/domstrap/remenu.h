/* SPDX-License-Identifier: MIT */
/*
 * The boot menu of a guest that is off, written again for the generations that
 * it has now, in the manner of the menu that is there.
 */
#ifndef DOMSTRAP_REMENU_H
#define DOMSTRAP_REMENU_H

#include "inside.h"

/*
 * Put menu and copied kernels into the boot file system's changes; kernels come
 * out of the root's store. current: what boots by default; limit:
 * generations that it shows, 0: as many as now. Which menu it is
 * say off->menu_kind and menu_path. A guest without a menu (its host has the
 * kernel) keeps none: that is 1. -ERR_SPACE: /boot is too small;
 * -ERR_UNSUPPORTED: a menu that is not written here.
 */
int remenu(struct offline *off, const struct inside *in, const struct generation *current,
           unsigned limit, struct err *err);

/*
 * Whether remenu() can write the menu that is there, before anything is changed: 0,
 * 1: there is none, -ERR_UNSUPPORTED with what to do in the text.
 */
int remenu_check(struct offline *off, struct err *err);

#endif
