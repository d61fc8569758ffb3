/* SPDX-License-Identifier: MIT */
/* What restart does with the disks of a guest that is off, each in an editor of its own. */
#ifndef DOMSTRAP_RESTART_DISK_H
#define DOMSTRAP_RESTART_DISK_H

#include "editor/editor.h"

/* What the next start boots. */
struct next_start {
	bool trial;    /* it is a trial: the start after it boots something else */
	char *system;  /* of the trial: a store path; owned */
	char *kept;    /* what boots by default instead; the same */
	bool confirms; /* the trial's system has guest.nix's unit, and confirms itself */
};

int next_start_find(const struct guest_options *opt, struct next_start *out, struct err *err);
void next_start_fini(struct next_start *n);

/*
 * Make the system of a trial, a store path, boot by default, unless the guest has done so. look:
 * only find out. -ERR_NOENT: it is no generation, or (look) does not boot by default.
 */
int restart_confirm(const struct guest_options *opt, const char *system, bool look,
                    struct err *err);
/*
 * After a failed trial: -ERR_EXISTS if the guest has made its system the default nevertheless.
 * write: make it boot kept by default again, which a guest that was destroyed does not allow.
 */
int restart_go_back(const struct guest_options *opt, const struct next_start *n, bool write,
                    struct err *err);
/* End a trial that no start has used yet: the default boots. Does nothing if there is none. */
int restart_drop_trial(const struct guest_options *opt, struct err *err);

#endif
