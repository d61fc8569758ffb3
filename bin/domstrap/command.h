/* SPDX-License-Identifier: MIT */
/*
 * domstrap's commands: one file each.
 */
#ifndef DOMSTRAP_COMMAND_H
#define DOMSTRAP_COMMAND_H

#include "base/err.h"

/* Exit statuses; domstrap(1) lists them. */
enum status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_BUSY = 3,      /* the disk or the database is in use */
	STATUS_VERIFY = 4,    /* a problem was found */
	STATUS_FELL_BACK = 5, /* restart: the generation on trial failed, the old one runs again */
	STATUS_NOT_UP = 6,    /* restart: the guest was started, and has not come up */
	                      /* 128 + N: ended by signal N */
};

/* Print the error, and return its exit status. */
int command_failed(const struct err *err);

struct command {
	const char *name;
	/* argv[0] is the command's name; returns an exit status. */
	int (*run)(int argc, char **argv);
	const char *summary; /* one line */
};

int cmd_build(int argc, char **argv);
int cmd_cache(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_confirm(int argc, char **argv);
int cmd_create(int argc, char **argv);
int cmd_gc(int argc, char **argv);
int cmd_generations(int argc, char **argv);
int cmd_init(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_installer(int argc, char **argv);
int cmd_restart(int argc, char **argv);
int cmd_rollback(int argc, char **argv);
int cmd_update(int argc, char **argv);
int cmd_verify(int argc, char **argv);

#endif
