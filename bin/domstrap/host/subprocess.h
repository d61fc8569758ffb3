/* SPDX-License-Identifier: MIT */
/*
 * Programs that run while this one goes on: in a process group of its own, so that ^C on the
 * terminal reaches only domstrap, which decides what becomes of it. stdin is empty; what it prints,
 * on stdout and stderr, comes through a pipe.
 */
#ifndef DOMSTRAP_SUBPROCESS_H
#define DOMSTRAP_SUBPROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/* The last bytes of an output. Start from zeros. */
#define TAIL_MAX 4096u
struct tail {
	char text[TAIL_MAX];
	size_t n;
};

void tail_put(struct tail *t, struct str s);
/* At most the last n lines, without blanks at the end. */
struct str tail_lines(const struct tail *t, size_t n);

struct subprocess {
	pid_t pid; /* 0: nothing runs */
	int fd;
};

#define SUBPROCESS_INIT {0, -1}

/* Start argv, which is looked up in PATH. ends: it is killed when this process is; else it goes on.
 */
int subprocess_start(struct subprocess *s, char *const argv[], bool ends, struct err *err);
/*
 * Read what it has printed, to out; wait for that for up to ms, or until a signal. 1: it has
 * ended, with *status: 128 + N where signal N ended it.
 */
int subprocess_poll(struct subprocess *s, int ms, struct tail *out, int *status);
/* End all of its process group, and wait. Does nothing if it has ended. */
void subprocess_kill(struct subprocess *s);

#endif
