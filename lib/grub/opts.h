/* SPDX-License-Identifier: MIT */
/*
 * Options of GRUB's commands: long ones by their whole name, short ones may
 * be put together, both may stand among the other words; "--" ends them.
 */
#ifndef GRUB_OPTS_H
#define GRUB_OPTS_H

#include "grub/texts.h"

enum opt_kind {
	OPT_FLAG,
	OPT_TEXT,
	OPT_MAYBE, /* a text may follow: after "=", or a word without "-" */
};

struct opt {
	const char *name; /* without "--" */
	char letter;      /* '\0': none */
	enum opt_kind kind;
};

struct opts {
	const struct grub_texts *argv;
	size_t next;
	size_t letter;           /* within a word of short options; 0: not in one */
	bool ended;              /* "--" was met */
	bool lenient;            /* an unknown option is a word */
	struct str value;        /* of the option found; p NULL: none */
	struct grub_texts words; /* what is no option */
};

#define OPTS_OVER(argv_) {.argv = (argv_), .next = 1}

/*
 * The next option: its index in table[0..n), n at the end (o->words is then
 * complete), or -ERR_USAGE.
 */
int opts_next(struct opts *o, const struct opt *table, size_t n, struct err *err);
void opts_fini(struct opts *o);

#endif
