/* SPDX-License-Identifier: MIT */
/*
 * The common part of update, rollback and gc: a change of a guest that is off, on
 * one or two disks.
 *
 * On one file system everything is one commit. If /boot is another file system
 * there are two commits. Their order keeps every entry of the menu bootable: files
 * for a new menu are added to the root before the menu is written, and files of an
 * old menu are removed after that. In between a note in the root says that the menu
 * is out of date; the next command rewrites it.
 */
#ifndef NIXOS_CHANGE_H
#define NIXOS_CHANGE_H

#include "nixos/guest_state.h"

/* How the guest's disks are opened: errors and mode as off_guest_find() has them. */
struct off_guest_opener {
	int (*open)(const void *arg, enum off_guest_mode mode, struct off_guest *out,
	            struct err *err);
	void (*close)(struct off_guest *off);
	const void *arg;
};

/*
 * Open the guest, write the menu if an interrupted command did not, and read the
 * guest's profiles, roots and database. 1: a change of the config was completed, and
 * the guest is closed: begin again with the config as it is now.
 */
int change_begin(const struct off_guest_opener *opener, enum off_guest_mode mode,
                 struct off_guest *off, struct guest_state *in, struct err *err);

/* Point the system's profile at a generation. */
int change_profile(struct off_guest *off, unsigned number, struct err *err);

/*
 * Commit additions: first the root, then the menu. in: the state after the change.
 * Nothing is changed if menu and config would then not boot current by default, or, with
 * TRIAL_BEGIN, if the next start would not boot what is tried.
 */
struct menu_wish;
int change_commit(struct off_guest *off, const struct guest_state *in, const struct menu_wish *wish,
                  struct err *err);

/* Make a generation boot by default: profile and menu. A trial is over. Errors as above. */
int change_default(struct off_guest *off, const struct guest_state *in, const struct generation *g,
                   struct err *err);

/* A removal; prune() stages it in the root's changes. */
struct change_removal {
	int (*prune)(struct off_guest *off, void *arg, struct err *err);
	bool (*gone)(const char *path, void *arg); /* whether prune() removes this store path */
	void *arg;
};

/*
 * Commit removals: with two disks first the note, then the menu for shown, then the
 * root. The same systems as before must boot by default and at the next start, and no
 * entry may boot a removed system.
 */
int change_commit_removal(struct off_guest *off, const struct guest_state *in,
                          const struct generation *shown, const struct change_removal *removal,
                          struct err *err);

#endif
