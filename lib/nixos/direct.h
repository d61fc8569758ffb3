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
 *
 * This is the side that reads the guest. It touches nothing of the host, but through
 * the descriptors and operations of struct direct_host, since what it read may lie.
 */
#ifndef NIXOS_DIRECT_H
#define NIXOS_DIRECT_H

#include "nixos/direct_text.h"
#include "nixos/guest_state.h"

enum direct_file {
	DIRECT_KERNEL,
	DIRECT_INITRD,
	DIRECT_FILES,
};

/* The host's side: direct_host.h, or requests to the process that has it. */
struct direct_host {
	struct buf text; /* of the config */
	/*
	 * The files of kernel= and ramdisk=, for reading. fd -1: the config names none, or opening
	 * failed with errno "why".
	 */
	struct {
		int fd;
		char *path; /* on this host; NULL: it names none */
		uint64_t size;
		bool regular;
		int why;
	} file[DIRECT_FILES];

	/* An unnamed file for a new copy, for writing; owned by the host's side. */
	int (*copy)(struct direct_host *h, enum direct_file which, int *fd, struct err *err);
	/* Write the new config without its name, and give the copies their names. */
	int (*publish)(struct direct_host *h, const struct direct_change *c, struct err *err);
	/* Remove the copies' names again. */
	void (*take_back)(struct direct_host *h);
	/* Rename the new config into place. */
	int (*switch_over)(struct direct_host *h, struct err *err);
	/*
	 * Remove kernels and initrds that the config does not name, left by an interrupted command;
	 * all: also those with the names that create gives.
	 */
	int (*tidy)(struct direct_host *h, bool all, struct err *err);
};

/* A change of a config with kernel=. */
struct direct {
	struct direct_host *host;
	struct guest_system old; /* that it boots */
	bool copies;             /* kernel= is a copy of old's; else the host's own */
	struct direct_names names;
	struct direct_text text;
	const struct guest_system *system; /* that it will boot; borrowed; NULL: not known yet */
};

/* Start from zeros; end with direct_fini(). */
void direct_fini(struct direct *d);

/* -ERR_UNSUPPORTED if it has lines that we do not know; the text says what to do. */
int direct_learn(struct off_guest *off, const struct guest_state *in, struct direct *d,
                 struct err *err);
/* Make the config's text for s, which d borrows, and what off knows of the config. */
int direct_format(struct off_guest *off, struct direct *d, const struct guest_system *s,
                  struct err *err);
bool direct_differs(const struct direct *d);

/* In this order: write the files without names; name kernel and initrd; switch the config. */
int direct_write(struct off_guest *off, struct direct *d, struct err *err);
int direct_publish(struct direct *d, struct err *err);
void direct_take_back(struct direct *d);
int direct_switch(struct direct *d, struct err *err);

/* Set NIXROOT_DIRECT, or (NULL) take it away. */
int direct_mark(struct off_guest *off, const char *toplevel, struct err *err);

#endif
