/* SPDX-License-Identifier: MIT */
/*
 * Running another program and reading what it prints.
 */
#ifndef DOMSTRAP_PROGRAM_H
#define DOMSTRAP_PROGRAM_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

#define PROGRAM_OUTPUT_MAX (64u << 20)

/*
 * Run argv, which is looked up in PATH and ends with NULL. Its stdin is empty;
 * what it prints is appended to *out; its stderr is ours, or where it is quiet
 * nowhere. ^C, SIGTERM and SIGHUP that ui_catch_signals() has seen are passed on.
 * Returns 0 with *status, 128 + N where signal N ended it; -ERR_NOENT: there is no
 * such program; -ERR_LIMIT: it printed over PROGRAM_OUTPUT_MAX; -ERR_IO.
 */
int program_run(char *const argv[], bool quiet, struct buf *out, int *status, struct err *err);

#endif
