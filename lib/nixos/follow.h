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

/* What a guest is to boot. */
struct follow_want {
	const char *toplevel; /* by default; NULL: whatever it is */
	bool once;            /* the next start boots something else, for once */
	const char *once_toplevel;
};

/*
 * Before the commit: evaluate what menu and config will boot once the changes are
 * committed, at the next start and at the one after it, and refuse it (-ERR_UNSUPPORTED)
 * where that is not what is wanted. Nothing can be changed any more after it, only committed.
 */
int follow_staged(struct off_guest *off, const struct follow_want *want, struct err *err);
/*
 * The same for a removal: gone() tells whether a store path will be removed; nothing that can boot
 * may name such a path.
 */
int follow_removal(struct off_guest *off, const struct follow_want *want,
                   bool (*gone)(const char *path, void *arg), void *arg, struct err *err);

#endif
