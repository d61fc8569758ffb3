/* SPDX-License-Identifier: MIT */
/*
 * Boot Loader Specification entries as the GRUB of Fedora and RHEL reads
 * them; systemd-boot's reading of the same files is in bls.h. Here
 *
 * - a key ends at the line's first blank, at its first tab where it has none;
 * - a line that has no value, or is empty, ends the file;
 * - the first line with a key counts, except that all of initrd, grub_class, grub_arg do;
 * - "$name" in options is replaced with the variable's value and a blank;
 * - what results is the text of a script: GRUB takes its quotes away.
 */
#ifndef GRUB_BLSCFG_H
#define GRUB_BLSCFG_H

#include "grub/menu.h"

/* Texts are owned, NULL where the file has no such line. */
struct blscfg_entry {
	char *id; /* the file's name without ".conf" */
	char *title, *linux_, *options, *users, *hotkey;
	struct grub_texts initrds, classes, args; /* a text a line */
	size_t bytes;                             /* of the file */
};

struct blscfg_entries {
	struct blscfg_entry *v;
	size_t n, cap;
};

/* name is without its folder, with ".conf". */
void blscfg_parse(struct str name, struct str text, struct blscfg_entry *out);
void blscfg_fini(struct blscfg_entry *e);
void blscfg_entries_fini(struct blscfg_entries *l);

/* Newest first; of entries that compare equal only one is kept. */
void blscfg_sort(struct blscfg_entries *l);

#endif
