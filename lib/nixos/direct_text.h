/* SPDX-License-Identifier: MIT */
/*
 * The text of a config that boots a kernel beside it (direct.h), changed for another
 * system. Pure: both processes make the same text, the one that reads the guest to know
 * what will boot, the one that writes the config to need nobody's word for it.
 */
#ifndef NIXOS_DIRECT_TEXT_H
#define NIXOS_DIRECT_TEXT_H

#include "base/buf.h"
#include "base/err.h"
#include "xen/xlcfg_read.h"

/* The systems of a change; texts are borrowed. */
struct direct_change {
	const char *toplevel, *init, *params; /* of the one that will boot */
	const char *old_toplevel, *old_init, *old_params;
	bool copies; /* kernel and initrd are copies beside the config, and change as well */
};

/* The parts of kernel= and ramdisk=; owned. */
struct direct_names {
	char *stem;            /* NAME; NULL: the kernel's name is none of ours */
	char *shown_dir;       /* as the config has it, with its slash, or "" */
	char *kernel, *initrd; /* file names; initrd NULL: none */
};

/* Start from zeros; end with direct_text_fini(). */
struct direct_text {
	struct buf text;
	char *kernel, *initrd;   /* new file names; NULL: no copies */
	struct xlcfg_guest says; /* the new text */
	const char *why;         /* after 1; borrowed */
};

void direct_names_of(const char *kernel, const char *ramdisk, struct direct_names *out);
void direct_names_fini(struct direct_names *n);

/* NAME of "NAME.kernel" and "NAME-DIGITS.kernel" in a path; NULL: it is another. */
char *direct_stem(const char *path, const char *suffix);

/*
 * config is what cfg was read from. 0; 1: it is not changed by domstrap, and out->why says
 * what of it; -ERR_LIMIT: the command line is too long for a PV guest; -ERR_UNSUPPORTED,
 * -ERR_FORMAT.
 */
int direct_text_make(struct str config, const struct xlcfg_guest *cfg,
                     const struct direct_names *names, const struct direct_change *change,
                     struct direct_text *out, struct err *err);
void direct_text_fini(struct direct_text *t);

#endif
