/* SPDX-License-Identifier: MIT */
/*
 * Whether a guest that was started has come up: a command of the administrator's succeeds, or a
 * login prompt is on its console. And what the guest says there of a trial (guest.nix).
 */
#ifndef DOMSTRAP_RESTART_WATCH_H
#define DOMSTRAP_RESTART_WATCH_H

#include <stdint.h>

#include "restart/restart_xl.h"
#include "host/subprocess.h"

#define WATCH_LINE_MAX 512u

struct watch {
	const struct running *guest;
	const char *health; /* a command for /bin/sh; NULL: the login prompt counts */
	unsigned seconds;   /* limit */
	int64_t end;        /* clock_ms() */
	/* the console */
	struct subprocess console;
	struct tail shown;
	int64_t attached;
	char line[WATCH_LINE_MAX]; /* the last line, and its length */
	size_t n;
	char panic[WATCH_LINE_MAX]; /* the line of a kernel panic; "": none */
	bool login;                 /* a prompt was there */
	int verdict; /* of the guest: 1 it has confirmed its system, -1 it has not, 0 nothing yet */
	/* the command */
	struct subprocess command;
	struct tail saying, said; /* by the run that goes on, and by the last that has ended */
	int64_t again;            /* when it is run */
	int status;               /* of the last run; -1: none has ended */
};

void watch_start(struct watch *w, const struct running *guest, const char *health,
                 unsigned seconds);
/*
 * Wait until the guest is up. -ERR_LIMIT: not within the limit; -ERR_CHILD: it has stopped or was
 * started anew; -ERR_INTERRUPTED.
 */
int watch_up(struct watch *w, struct err *err);
/* Wait for the guest's verdict until the same limit; 1: there is none. Else as above. */
int watch_verdict(struct watch *w, struct err *err);
/* Append the last lines of the console to the text of an error. */
void watch_add_console(const struct watch *w, struct err *err);
void watch_end(struct watch *w);

#endif
