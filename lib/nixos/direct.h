/* SPDX-License-Identifier: MIT */
/*
 * A guest whose config boots kernel and initrd beside it, as "create --boot direct"
 * makes one:
 *
 *     kernel  = "DIR/NAME.kernel" or "DIR/NAME-DIGITS.kernel"
 *     ramdisk = "DIR/NAME.initrd" or "DIR/NAME-DIGITS.initrd"
 *     cmdline = "init=TOPLEVEL/init ... PARAMETERS ..."
 *
 * DIGITS are those of the system's store path. Another system comes in this order, so
 * that at every moment the config boots one that is whole:
 *
 *     the new kernel and initrd, whole and synced, under names of their own
 *     the disks' commit, with a note in the root that the config is behind
 *     the config, renamed into place: this is the switch
 *     the note goes, then the old kernel and initrd
 *
 * Whoever comes next finishes what the note says, and removes files that no config
 * names. Only a config whose every line is known to be domstrap's is changed.
 */
#ifndef NIXOS_DIRECT_H
#define NIXOS_DIRECT_H

#include "base/outfile.h"
#include "nixos/guest_state.h"

struct direct {
	char *config;                  /* the config's path, links followed */
	struct buf text, changed;      /* of it, as it is and as it will be */
	struct guest_system old;       /* that it boots */
	bool copies;                   /* kernel= is a copy of old's; else the host's own */
	char *dir;                     /* of the copies */
	char *shown_dir;               /* as the config has it, with its slash, or "" */
	char *stem;                    /* NAME */
	char *old_kernel, *old_initrd; /* names in dir; NULL: not copies */
	char *new_kernel, *new_initrd;
	const char *args_key; /* "cmdline" or "extra" */
	struct outfile kernel, initrd, cfg;
};

/* Start from direct_init(); end with direct_fini(), which drops what was not published. */
void direct_init(struct direct *d);
void direct_fini(struct direct *d);

/* -ERR_UNSUPPORTED where not all of its lines are known, with what to do. */
int direct_learn(struct off_guest *off, const struct guest_state *in, struct direct *d,
                 struct err *err);
/* Make the config's text for s, and what off knows of the config. */
int direct_format(struct off_guest *off, struct direct *d, const struct guest_system *s,
                  struct err *err);
bool direct_differs(const struct direct *d);

/* direct_files.c, in this order: nothing has a name; kernel and initrd; the switch. */
int direct_write(struct off_guest *off, struct direct *d, const struct guest_system *s,
                 struct err *err);
int direct_publish(struct direct *d, struct err *err);
void direct_take_back(struct direct *d);
int direct_switch(struct direct *d, struct err *err);
/*
 * Remove kernels and initrds that the config does not name and a stopped command left;
 * all: those that create named, too.
 */
int direct_tidy(struct off_guest *off, bool all, struct err *err);
/* NAME of "NAME.kernel" and "NAME-DIGITS.kernel" in a path; NULL: it is another. */
char *direct_stem(const char *path, const char *suffix);

/* Set NIXROOT_DIRECT, or (NULL) take it away. */
int direct_mark(struct off_guest *off, const char *toplevel, struct err *err);

#endif
