/* SPDX-License-Identifier: MIT */
/*
 * A trial: the next start boots a generation, the start after it boots the default again, which
 * stays as it was until somebody confirms the new one. GRUB's environment block, grubenv beside
 * its menu, has all of it:
 *
 *     next_entry      GRUB's own: the menu entry of the next start. The menu empties it.
 *     domstrap_try    the system on trial, a store path
 *     domstrap_tried  the same in place of it, once a started guest has seen that it was tried
 *     domstrap_kept   the system of the profile, which a confirmation changes
 *
 * The last three say only what the next start cannot know; a trial is over when the profile no
 * longer points at domstrap_kept.
 */
#ifndef NIXOS_TRIAL_H
#define NIXOS_TRIAL_H

#include "nixos/guest_state.h"

/* Set boots and trial of the system's generations from what the guest boots. */
int trial_mark(struct off_guest *off, struct guest_state *in, struct err *err);
/* Set activated, too, where /etc/static of the guest tells. */
int trial_activated(struct off_guest *off, struct guest_state *in, struct err *err);
/* The generation that is on trial; NULL: none. */
struct generation *trial_find(const struct guest_state *in);

/*
 * Whether this guest can try a generation: it has a GRUB menu, an xl config, and a boot helper
 * that writes the environment block. Asks off->write_env for a change of the config where that is
 * needed. -ERR_UNSUPPORTED: what to do is in the text.
 */
int trial_check(struct off_guest *off, const struct guest_state *in, struct err *err);

/* What the environment block is to say; borrowed. */
struct trial_change {
	enum trial_step step;
	const char *entry; /* BEGIN: the path of its entry. KEEP: where that is now, or NULL */
	const char *tried; /* BEGIN: the system */
	const char *kept;  /* BEGIN: the system of the profile */
};

/*
 * Put the environment block beside the menu into the boot file system's changes.
 * -ERR_UNSUPPORTED: there is a file that is not a block; -ERR_SPACE.
 */
int trial_put(struct off_guest *off, const char *menu, const struct trial_change *c,
              struct err *err);

#endif
