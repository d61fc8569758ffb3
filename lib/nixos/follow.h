/* SPDX-License-Identifier: MIT */
/*
 * Checks that the guest will boot the result of a change: before the change whether it can, before
 * the commit whether it will.
 */
#ifndef NIXOS_FOLLOW_H
#define NIXOS_FOLLOW_H

#include "nixos/guest_state.h"

/*
 * -ERR_UNSUPPORTED if the guest cannot be made to boot another generation; the text says what to
 * do.
 */
int follow_check(struct off_guest *off, const struct guest_state *in, struct err *err);

/*
 * -ERR_* if not everything that can boot is known: then nothing may be deleted. From here on, a
 * menu that cannot be written counts as foreign.
 */
int follow_known(struct off_guest *off, struct err *err);

/*
 * Before the commit: evaluate what menu and config will boot once the changes are
 * committed, and refuse it (-ERR_UNSUPPORTED) where that is not the system toplevel; NULL:
 * whatever it is. Nothing can be changed any more after it, only committed.
 */
int follow_staged(struct off_guest *off, const char *toplevel, struct err *err);
/*
 * The same for a removal: gone() tells whether a store path will be removed; nothing that can boot
 * may name such a path.
 */
int follow_removal(struct off_guest *off, const char *toplevel,
                   bool (*gone)(const char *path, void *arg), void *arg, struct err *err);

#endif
