/* SPDX-License-Identifier: MIT */
/* The guest that a command line names, opened: its disks are free, locked and found. */
#ifndef DOMSTRAP_GUEST_OPEN_H
#define DOMSTRAP_GUEST_OPEN_H

#include "arguments.h"
#include "nixos/guest_state.h"
#include "ui.h"

#define ARGUMENTS_MAX 1024

/* What all commands for such guests are told; strings are argv's. */
struct offline_options {
	const char *args[ARGUMENTS_MAX]; /* images, devices, or one config */
	size_t n_args;
	bool dry_run, json;
	enum ui_level level;
};

/*
 * Open the disks, finish or undo what an interrupted command left, find the
 * file systems. -ERR_BUSY: in use; -ERR_NOENT, -ERR_FORMAT, -ERR_UNSUPPORTED.
 */
int guest_open(const struct offline_options *opt, enum off_guest_mode mode, struct off_guest *out,
               struct err *err);
/* Only the disks, and what the config names: nothing of the guest is read yet. */
int guest_open_disks(const struct offline_options *opt, enum off_guest_mode mode,
                     struct off_guest *off, struct err *err);
void guest_close(struct off_guest *off);
/* The same, and what change_begin() does. */
int guest_begin(const struct offline_options *opt, enum off_guest_mode mode, struct off_guest *off,
                struct guest_state *in, struct err *err);

#endif
