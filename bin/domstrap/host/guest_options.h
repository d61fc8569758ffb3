/* SPDX-License-Identifier: MIT */
/*
 * What the command lines of all commands for a guest that exists have in common. Each command has a
 * struct of its own, whose first member is a struct guest_options, and a table with some of these
 * rows.
 */
#ifndef DOMSTRAP_GUEST_OPTIONS_H
#define DOMSTRAP_GUEST_OPTIONS_H

#include "host/guest_open.h"
#include "ui/rows.h"

#define GUEST_DRY_RUN(text) ROW_DRY_RUN(struct guest_options, dry_run, text)
#define GUEST_JSON(text) ROW_TRUE("json", text, struct guest_options, json)
/* The last rows of every command. */
#define GUEST_LAST(verbose)                                                                        \
	ROW_QUIET(struct guest_options, level), ROW_VERBOSE(struct guest_options, level, verbose), \
	        ROW_HELP

/*
 * Read a command line into the struct that begins with *out; its other members keep their values if
 * they are not given. guest: an argument is required. 0; 1 if --help was given and printed;
 * -ERR_USAGE.
 */
int guest_options_parse(int argc, char **argv, const struct option_set *set, bool guest,
                        struct guest_options *out, struct err *err);

#endif
