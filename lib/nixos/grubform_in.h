/* SPDX-License-Identifier: MIT */
/* What grubform's own files share: statements of a menu, and entries' bodies. */
#ifndef NIXOS_GRUBFORM_IN_H
#define NIXOS_GRUBFORM_IN_H

#include "grub/parse.h"

/*
 * The statements of a text, one after the other, with the text that they stand
 * in. The text has no carriage returns and outlives it.
 */
struct statements {
	struct parser ps;
	struct str text;
	size_t at;
	unsigned line; /* of at, from 1 */
};

struct statement {
	struct str before; /* empty lines and comments */
	struct str text;   /* whole lines */
	struct script *script;
	struct node *only; /* its one command; NULL: it is something else */
};

void statements_init(struct statements *s, struct str text);
void statements_fini(struct statements *s);
/* 0; 1 at the end (before is then what is left); -ERR_FORMAT, -ERR_LIMIT. */
int statements_next(struct statements *s, struct statement *out, struct err *err);
void statement_fini(struct statement *st);
/* The part of the text between a command's braces. */
struct str statement_block(const struct statements *s, const struct statement *st);

/* A word without variables, whatever its quotes; the caller frees it. NULL: it has some. */
char *word_text(const struct word *w);
/* A word as it stands there; NULL: with quotes in it, or none. */
char *word_raw(const struct word *w);
/* Whether it is this word, without quotes. */
bool word_is(const struct word *w, const char *text);

/* Whether it is this one command: "menuentry" or "submenu". */
bool statement_is(const struct statement *st, const char *command);
/*
 * The title of a menuentry or submenu, which the caller frees, and its options as
 * they stand there. NULL: it is none, or its title is not plainly between double
 * quotes.
 */
char *statement_title(const struct statements *s, const struct statement *st, struct str *options);
/* The day that stands behind "before" and before " - "; the caller frees it. NULL: none. */
char *title_day(const char *title, const char *before);

/* An entry of NixOS's, taken apart. Views are into the text, strings owned. */
struct entry_body {
	struct str head, middle, tail;
	char *dir; /* of kernel and initrd, with its slash */
	bool copies;
	bool system_config;
	char *init;
	char *more;    /* further initrds but secrets, each with a blank before it */
	char *secrets; /* file name; NULL: none */
	char *secrets_dir;
};

/*
 * How long the directory's part of a kernel's or initrd's name is, its slash
 * included: that of copies, copies_dir being its last name between slashes, or that of
 * the store. 0: it is none of NixOS's.
 */
size_t entry_dir_length(const char *path, const char *copies_dir, bool *copies);

/* NULL, or why it is none of NixOS's. */
const char *entry_body_read(struct str block, struct entry_body *out);
void entry_body_fini(struct entry_body *b);

#endif
