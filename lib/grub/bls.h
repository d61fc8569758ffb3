/* SPDX-License-Identifier: MIT */
/*
 * Boot Loader Specification entries, type 1, as systemd-boot reads them:
 * loader/entries/NAME.conf. What Fedora's GRUB makes of the same files is in
 * blscfg.h.
 *
 *     file = { line },  line = KEY blanks VALUE | "#" …
 *     VALUE = text | '"' text '"' | "'" text "'"
 *     NAME = ID [ counter ]                     see blscount.h
 */
#ifndef GRUB_BLS_H
#define GRUB_BLS_H

#include <stdbool.h>

#include "grub/blsdir.h"
#include "grub/menu.h"

enum bls_kind {
	BLS_NONE,  /* names neither of the following, or both */
	BLS_LINUX, /* a kernel */
	BLS_UKI,   /* a kernel packed into an EFI program */
	BLS_EFI,   /* an EFI program, which may be such a kernel */
	BLS_URL,   /* the same, from a server */
};

/* Texts are owned; "" where missing, NULL for options. */
struct bls_entry {
	char *file; /* the file's name */
	char *key;  /* the same without its counter, in lower case: what systemd-boot compares */
	char *id;   /* the file's name without ".conf" and counter */
	char *title;
	char *version;
	char *machine_id;
	char *sort_key;
	enum bls_kind kind;
	char *loader;  /* what to boot */
	char *options; /* several lines put together with blanks */
	char *architecture;
	struct grub_texts initrds;
	int64_t left, done; /* tries; -1: boot counting is off */
	bool grubs;         /* has keys or variables that only Fedora's GRUB knows */
	char *text;         /* the file as it was */
};

struct bls_entries {
	struct bls_entry *v;
	size_t n, cap;
};

/* A value without the one pair of quotes around all of it. */
struct str bls_unquoted(struct str s);

void bls_parse(struct str name, struct str text, struct bls_entry *out);
void bls_fini(struct bls_entry *e);
void bls_entries_fini(struct bls_entries *l);

/*
 * All entries of a directory, unsorted; what cannot be read is left out and
 * named in a warning. 0 or -ERR_*.
 */
int bls_read_dir(const struct blsdir *dir, struct bls_entries *out, struct grub_texts *warnings,
                 struct err *err);

/* The first in a menu comes first; for qsort(). */
int bls_cmp(const void *a, const void *b);

/*
 * Append a title for each entry to *out, in their order. Equal titles get the
 * version, then the machine ID, then the file name, until they differ.
 */
void bls_titles(const struct bls_entries *all, struct grub_texts *out);

#endif
