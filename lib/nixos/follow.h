/* SPDX-License-Identifier: MIT */
/*
 * What boots has to follow a change: whether it can is asked before there is one,
 * and whether it will before that is committed.
 */
#ifndef NIXOS_FOLLOW_H
#define NIXOS_FOLLOW_H

#include "nixos/guest_state.h"

/* -ERR_UNSUPPORTED where another generation cannot be made to boot, and what to do. */
int follow_check(struct off_guest *off, const struct guest_state *in, struct err *err);

/*
 * -ERR_* where not all that can boot is known: then nothing may be deleted. A menu that
 * cannot be written is a foreign one from here on.
 */
int follow_known(struct off_guest *off, struct err *err);

/*
 * Before the commit: evaluate what menu and config will boot once the changes are
 * committed, and refuse it (-ERR_UNSUPPORTED) where that is not the system toplevel; NULL:
 * whatever it is. Nothing can be changed any more after it, only committed.
 */
int follow_staged(struct off_guest *off, const char *toplevel, struct err *err);
/*
 * The same for what goes: gone() says whether a store path will be there no longer, of
 * which nothing that can boot may speak.
 */
int follow_removal(struct off_guest *off, const char *toplevel,
                   bool (*gone)(const char *path, void *arg), void *arg, struct err *err);

#endif
