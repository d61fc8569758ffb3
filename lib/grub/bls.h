/* SPDX-License-Identifier: MIT */
/*
 * Boot Loader Specification entries, type 1: loader/entries/NAME.conf.
 *
 *     file = { line },  line = KEY blanks VALUE | "#" …
 *     NAME = ID [ "+" LEFT [ "-" DONE ] ]      boot counting: 0 left is bad
 */
#ifndef GRUB_BLS_H
#define GRUB_BLS_H

#include <stdbool.h>

#include "grub/menu.h"

/* Texts are owned; "" where missing, NULL for options. */
struct bls_entry {
	char *id; /* the file's name without ".conf" and counter */
	char *title;
	char *version;
	char *machine_id;
	char *sort_key;
	char *linux_;
	char *loader;  /* an efi or uki entry's file, which cannot boot here */
	char *options; /* several lines put together with blanks */
	char *architecture;
	char *classes, *users, *args, *hotkey; /* grub_class and so on */
	struct grub_texts initrds;
	bool bad;   /* no tries are left */
	char *text; /* the file as it was */
};

struct bls_entries {
	struct bls_entry *v;
	size_t n, cap;
};

void bls_parse(struct str name, struct str text, struct bls_entry *out);
void bls_fini(struct bls_entry *e);
void bls_entries_fini(struct bls_entries *l);

/*
 * All entries of a directory, unsorted; what cannot be read is left out and
 * named in a warning. 0 or -ERR_*.
 */
int bls_read_dir(struct grub_files *files, const struct grub_limits *limits, size_t dev,
                 struct str dir, struct bls_entries *out, struct grub_texts *warnings,
                 struct err *err);

/* The first in a menu comes first; for qsort(). */
int bls_cmp(const void *a, const void *b);       /* the specification's order */
int bls_cmp_names(const void *a, const void *b); /* file names, newest first: Fedora's */

/* The title, made unique among others by its version or id; appended. */
void bls_title(const struct bls_entries *all, const struct bls_entry *e, struct buf *out);

#endif
