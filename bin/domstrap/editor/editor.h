/* SPDX-License-Identifier: MIT */
/*
 * The process that reads and changes a guest: a child in a jail (role editor) that has
 * the guest's disks, the files that its config names, and nothing else. Its parent has
 * opened and locked them, prints what it is told, and does the few things of the host's
 * that a change needs; it believes only messages that the rules of editor_wire.h allow.
 */
#ifndef DOMSTRAP_EDITOR_H
#define DOMSTRAP_EDITOR_H

#include <stdio.h>

#include "host/guest_options.h"

struct supply_options;

/* The state of a command's work in the jail. */
struct editor {
	struct off_guest off;
	struct guest_state in;
	FILE *out; /* becomes the command's standard output, if the work succeeds */
};

struct editor_job {
	enum off_guest_mode mode;
	int (*work)(struct editor *e, void *arg, struct err *err);
	void *arg;
	/* Where new store paths come from; NULL: the job adds none. */
	const struct supply_options *supply;
	struct buf *out;  /* its output is appended here; NULL: it is for standard output */
	bool any_root;    /* it only reads, also what cannot be changed (off_guest.h) */
	bool tries;       /* it may put a generation on trial, for which the config may change */
	uint64_t largest; /* bytes that a disk may get, or may grow by; 0: none grows */
};

/*
 * Open the guest, start the child, let it do change_begin() and then work(). In work() and
 * below ui_warn(), ui_say() and ui_detail() reach the terminal, as does the progress of
 * ui_progress_shared(); nothing else of the host can be reached, except through editor_system.h.
 * What it changes in arg stays in the child. The error is the child's.
 */
int editor_run(const struct guest_options *opt, const struct editor_job *job, struct err *err);

/*
 * All of a command that changes a guest, or with --dry-run only looks: reads its options into the
 * struct that begins with *opt, which work() gets, too. Returns its exit status.
 */
int editor_command(int argc, char **argv, const struct option_set *set, struct guest_options *opt,
                   int (*work)(struct editor *e, void *arg, struct err *err));

#endif
