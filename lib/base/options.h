/* SPDX-License-Identifier: MIT */
/*
 * Command lines, from one table: parsing by getopt_long(3), messages, and the text of --help.
 *
 *     row     one option: its names, its argument and text for --help, and what sets its value
 *     group   rows that several commands share, or a command's own
 *     set     the groups of a command, in the order of --help
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define OPTIONS_ROWS_MAX 128 /* of a set */

struct option_row;

/*
 * Store the value of an option in the struct "to" of its group. text is the argument, borrowed from
 * argv; NULL: the option takes none. -ERR_USAGE; the text names the option.
 */
typedef int option_setter(const struct option_row *row, void *to, const char *text,
                          struct err *err);

/* Unused members are zero. Texts are static. */
struct option_row {
	const char *name;         /* long name; NULL: not an option, but a line of help */
	char letter;              /* short name; 0: none */
	const char *argument;     /* name of its argument, for help; NULL: it takes none */
	const char *help;         /* one or more lines; NULL: not in --help */
	option_setter *set;       /* NULL: this is --help */
	size_t offset;            /* of the value in the group's struct */
	uint64_t number;          /* the largest number allowed, or the value to store */
	const char *const *words; /* allowed words, NULL at the end */
	bool two;                 /* two arguments: set is called for each */
	int (*check)(const char *text, struct err *err); /* called before set; may be NULL */
};

struct option_group {
	const struct option_row *rows;
	size_t n;
	size_t offset; /* of the group's struct in the command's struct */
};

#define OPTION_GROUP(rows, offset) {rows, ARRAY_LEN(rows), offset}

struct option_set {
	const char *program; /* such as "domstrap create", for messages */
	const char *intro;   /* beginning of --help: usage and description */
	const struct option_group *groups;
	size_t n_groups;
	unsigned column; /* of the texts in --help */
	bool equals;     /* --help shows "--name=ARG", not "--name ARG" */
};

/* An option as given. */
struct option_given {
	const struct option_group *group;
	const struct option_row *row;
	const char *text, *second;
};

/*
 * Find the options of a command line, up to --help (set NULL), without setting values; the other
 * arguments are moved to the end of argv, from optind on. *out is an array of *n that the caller
 * frees. -ERR_USAGE.
 */
int options_find(const struct option_set *set, int argc, char **argv, struct option_given **out,
                 size_t *n, struct err *err);
/* Set one value in the command's struct. */
int options_set(const struct option_given *given, void *to, struct err *err);

/*
 * Both: find the options and set all values, in order. 1: --help was given, and its text printed to
 * standard output.
 */
int options_read(const struct option_set *set, int argc, char **argv, void *to, struct err *err);

/* Append the text of --help. */
void options_help(const struct option_set *set, struct buf *out);

/* ---- setters; the type of the value is in brackets ------------------------------ */

option_setter option_text;  /* [const char *] the argument */
option_setter option_true;  /* [bool] */
option_setter option_false; /* [bool] */
option_setter option_enum;  /* [int or enum] row->number */
option_setter option_word;  /* [int or enum] the index of the argument in row->words */
option_setter option_count; /* [unsigned] a number from 1 to row->number */

#endif
