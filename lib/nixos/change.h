/* SPDX-License-Identifier: MIT */
/*
 * What update, rollback and gc have in common: a change of a guest that is off,
 * on one disk or on two.
 *
 * On one file system everything is one commit. Where /boot is another one,
 * there is a time between the two commits, and the order keeps every entry of
 * either menu bootable: what a new menu needs is in the root before it, what an
 * old menu needs leaves the root after it. A note in the root says meanwhile
 * that the menu does not fit; whoever comes next writes it again.
 */
#ifndef NIXOS_CHANGE_H
#define NIXOS_CHANGE_H

#include "nixos/guest_state.h"

/* How the guest's disks are opened: errors and mode as off_guest_find() has them. */
struct off_guest_opener {
	int (*open)(const void *arg, enum off_guest_mode mode, struct off_guest *out,
	            struct err *err);
	const void *arg;
};

/*
 * Open the guest, write the menu where an interrupted command did not, and read
 * what is inside.
 */
int change_begin(const struct off_guest_opener *opener, enum off_guest_mode mode,
                 struct off_guest *off, struct guest_state *in, struct err *err);

/* Point the system's profile at a generation. */
int change_profile(struct off_guest *off, unsigned number, struct err *err);

/*
 * Commit additions: root first, then the menu for current, of at most limit
 * generations (0: as it is). in is what will be there. Nothing is changed where
 * menu and config would not boot current by default then.
 */
int change_commit(struct off_guest *off, const struct guest_state *in,
                  const struct generation *current, unsigned limit, struct err *err);

/* What goes; prune() stages it in the root's changes. */
struct change_removal {
	int (*prune)(struct off_guest *off, void *arg, struct err *err);
	bool (*gone)(const char *path, void *arg); /* a store path that prune() takes away */
	void *arg;
};

/*
 * Commit removals: where there are two disks, note, menu for shown, root. What
 * boots by default must be the same system as before, and nothing of what goes may
 * be booted by anything.
 */
int change_commit_removal(struct off_guest *off, const struct guest_state *in,
                          const struct generation *shown, const struct change_removal *removal,
                          struct err *err);

#endif
