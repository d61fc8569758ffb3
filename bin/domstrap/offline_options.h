/* SPDX-License-Identifier: MIT */
/*
 * The command lines of all commands for a guest that exists. Each command has a table with some of
 * these options.
 */
#ifndef DOMSTRAP_OFFLINE_OPTIONS_H
#define DOMSTRAP_OFFLINE_OPTIONS_H

#include "guest_open.h"
#include "nix_build.h"
#include "rows.h"
#include "source.h"

struct offline_request {
	struct offline_options common;
	const char *system;           /* update */
	struct source_options source; /* the same */
	struct nix_options nix;       /* the same; or what is to be built */
	const char *configuration;    /* the same; for /etc/nixos */
	const char *size, *boot_size; /* the same; NULL: as it is */
	bool wipe;                    /* the same: clear what they grow into */
	bool try;                     /* the same: boot it once */
	unsigned limit;               /* of the menu; 0: as it is */
	bool verify;
	unsigned threads;
	unsigned to;     /* rollback; 0: the one before */
	unsigned keep;   /* gc: generations at least; 0: not given */
	int64_t older_s; /* gc: seconds; -1: not given */
	bool fsck;       /* verify */
	bool paths;      /* inspect */
};

#define OFFLINE_TEXT(long_name, argument, text, field)                                             \
	ROW_TEXT(long_name, argument, text, struct offline_request, field)
#define OFFLINE_TRUE(name, text, field) ROW_TRUE(name, text, struct offline_request, field)
#define OFFLINE_FALSE(long_name, text, field)                                                      \
	{.name = (long_name), 0, NULL, text, option_false, offsetof(struct offline_request, field)}
#define OFFLINE_NUMBER(long_name, text, field)                                                     \
	{.name = (long_name),                                                                      \
	 0,                                                                                        \
	 "N",                                                                                      \
	 text,                                                                                     \
	 option_count,                                                                             \
	 offsetof(struct offline_request, field),                                                  \
	 1000000}
#define OFFLINE_DRY_RUN(text) ROW_DRY_RUN(struct offline_request, common.dry_run, text)
#define OFFLINE_JSON(text) OFFLINE_TRUE("json", text, common.json)
#define OFFLINE_THREADS(text)                                                                      \
	{.name = "threads",                                                                        \
	 'j',                                                                                      \
	 "N",                                                                                      \
	 text,                                                                                     \
	 option_count,                                                                             \
	 offsetof(struct offline_request, threads),                                                \
	 16}
/* The last rows of every command. */
#define OFFLINE_LAST(verbose)                                                                      \
	ROW_QUIET(struct offline_request, common.level),                                           \
	        ROW_VERBOSE(struct offline_request, common.level, verbose), ROW_HELP

/* guest: an argument is required. 0; 1 if --help was given and printed; -ERR_USAGE. */
int offline_options_parse(int argc, char **argv, const struct option_set *set, bool guest,
                          struct offline_request *out, struct err *err);

#endif
