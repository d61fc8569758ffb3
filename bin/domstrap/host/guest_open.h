/* SPDX-License-Identifier: MIT */
/* Opens the guest that a command line names: its disks must be unused, and are locked. */
#ifndef DOMSTRAP_GUEST_OPEN_H
#define DOMSTRAP_GUEST_OPEN_H

#include "host/arguments.h"
#include "nixos/guest_state.h"
#include "ui/ui.h"

#define ARGUMENTS_MAX 1024

/* Options of all commands for guests that are off; strings are argv's. */
struct guest_options {
	const char *args[ARGUMENTS_MAX]; /* images, devices, or one config */
	size_t n_args;
	bool dry_run, json;
	bool claimed; /* by this process (ext4/claim.h), which can stop and start the guest */
	enum ui_level level;
};

/*
 * Open and lock the disks, and open what the config names; nothing of the guest is read
 * yet. -ERR_BUSY: in use; -ERR_NOENT, -ERR_UNSUPPORTED.
 */
int guest_open_disks(const struct guest_options *opt, enum off_guest_mode mode,
                     struct off_guest *off, struct err *err);
void guest_close(struct off_guest *off);

#endif
