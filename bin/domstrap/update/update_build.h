/* SPDX-License-Identifier: MIT */
/*
 * update --config and --flake: the system is built before the guest's disks are
 * opened, since a guest may be started while that goes on.
 */
#ifndef DOMSTRAP_UPDATE_BUILD_H
#define DOMSTRAP_UPDATE_BUILD_H

#include "update/update_in.h"

/*
 * Where something is to be built: see that the guest can be changed at all,
 * build, and put the system into *r, where *built keeps it; the caller frees that.
 * The link NAME.system lies beside the guest's config or image, NAME being that
 * file's without its suffix; a device has its link in the current directory.
 */
int update_build(struct update_options *r, char **built, struct err *err);

#endif
