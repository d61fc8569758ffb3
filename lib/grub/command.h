/* SPDX-License-Identifier: MIT */
/*
 * GRUB's commands. Each is a function in one of the cmd_*.c files; command.c
 * has the one table. A function gets its words (argv[0] is its name, any may
 * be changed) and returns a status of exec.h, or -ERR_* to end the run.
 */
#ifndef GRUB_COMMAND_H
#define GRUB_COMMAND_H

#include "grub/exec.h"

struct command {
	const char *name;
	int (*run)(struct exec *x, struct grub_texts *argv, struct err *err);
};

/* NULL where there is none. */
const struct command *command_find(struct str name);
/* The whole table, for tests. */
const struct command *command_table(size_t *n);

#define COMMAND(fn) int fn(struct exec *x, struct grub_texts *argv, struct err *err)

COMMAND(cmd_blscfg);
COMMAND(cmd_boot);
COMMAND(cmd_break);
COMMAND(cmd_cat);
COMMAND(cmd_cmp);
COMMAND(cmd_configfile);
COMMAND(cmd_continue);
COMMAND(cmd_cpuid);
COMMAND(cmd_decrement);
COMMAND(cmd_echo);
COMMAND(cmd_eval);
COMMAND(cmd_exit);
COMMAND(cmd_export);
COMMAND(cmd_false);
COMMAND(cmd_file);
COMMAND(cmd_fwsetup);
COMMAND(cmd_gettext);
COMMAND(cmd_increment);
COMMAND(cmd_initrd);
COMMAND(cmd_lacking);
COMMAND(cmd_linux);
COMMAND(cmd_list_env);
COMMAND(cmd_load_env);
COMMAND(cmd_ls);
COMMAND(cmd_menuentry);
COMMAND(cmd_nothing);
COMMAND(cmd_probe);
COMMAND(cmd_refused);
COMMAND(cmd_regexp);
COMMAND(cmd_return);
COMMAND(cmd_save_env);
COMMAND(cmd_search);
COMMAND(cmd_search_short);
COMMAND(cmd_set);
COMMAND(cmd_setparams);
COMMAND(cmd_shift);
COMMAND(cmd_source);
COMMAND(cmd_sum);
COMMAND(cmd_test);
COMMAND(cmd_time);
COMMAND(cmd_tr);
COMMAND(cmd_unset);
COMMAND(cmd_unsupported);

#endif
