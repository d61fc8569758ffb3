/* SPDX-License-Identifier: MIT */
/*
 * The command lines of all commands that look at a guest: one table of options,
 * of which each command takes some.
 */
#ifndef DOMSTRAP_OFFLINE_OPTIONS_H
#define DOMSTRAP_OFFLINE_OPTIONS_H

#include "guest_open.h"
#include "nix_build.h"
#include "source.h"

struct offline_request {
	struct offline_options common;
	const char *system;           /* update */
	struct source_options source; /* the same */
	struct nix_options nix;       /* the same; or what is to be built */
	const char *configuration;    /* the same; for /etc/nixos */
	const char *size, *boot_size; /* the same; NULL: as it is */
	bool wipe;                    /* the same: clear what they grow into */
	unsigned limit;               /* of the menu; 0: as it is */
	bool verify;
	unsigned threads;
	unsigned to;     /* rollback; 0: the one before */
	unsigned keep;   /* gc: generations at least; 0: not given */
	int64_t older_s; /* gc: seconds; -1: not given */
	bool fsck;       /* verify */
	bool paths;      /* inspect */
};

enum offline_takes {
	TAKES_WRITE = 1,  /* --dry-run */
	TAKES_SYSTEM = 2, /* --system, where it comes from, what builds it, --size, --limit, … */
	TAKES_TO = 4,     /* --to */
	TAKES_KEEP = 8,   /* --keep, --older-than */
	TAKES_THREADS = 16,
	TAKES_FSCK = 32,      /* --no-fsck */
	TAKES_PATHS = 64,     /* --paths */
	TAKES_TOPLEVEL = 128, /* --system alone */
	TAKES_NO_GUEST = 256, /* no argument is right, too */
};

/* 0; 1 where --help was asked for and printed; -ERR_USAGE. */
int offline_options_parse(int argc, char **argv, unsigned takes, const char *usage,
                          struct offline_request *out, struct err *err);

#endif
