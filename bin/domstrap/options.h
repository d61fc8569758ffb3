/* SPDX-License-Identifier: MIT */
/*
 * Parsers for values of options that several commands have. All return 0 or -ERR_USAGE; option is
 * its name without hyphens.
 */
#ifndef DOMSTRAP_OPTIONS_H
#define DOMSTRAP_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct option; /* getopt.h */

/* Call before the first option_next() of a command line. */
void option_begin(void);
/*
 * The next option, as getopt_long(3) finds it: its value in *c, its argument in
 * optarg. shorts begins with neither '+', '-' nor ':'. Returns 0, 1 where no
 * options are left (the arguments begin at optind), or -ERR_USAGE with the option
 * that is wrong named, also where it is one of several behind one hyphen.
 */
int option_next(int argc, char **argv, const char *shorts, const struct option *longs, int *c,
                struct err *err);

/* One of a few words; its number in *out. */
int option_word(const char *option, const char *text, const char *const *words, size_t n,
                unsigned *out, struct err *err);
/* A guest's memory: plain digits are MiB, as in xl's own configs. */
int option_memory(const char *text, uint64_t *mib, struct err *err);
/* A number from 1 to max. */
int option_count(const char *option, const char *text, unsigned max, unsigned *out,
                 struct err *err);

#endif
