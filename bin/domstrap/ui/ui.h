/* SPDX-License-Identifier: MIT */
/*
 * Messages for the user, on stderr: errors, warnings, phases of the work; progress if stderr is a
 * terminal.
 */
#ifndef DOMSTRAP_UI_H
#define DOMSTRAP_UI_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum ui_level {
	UI_QUIET = -1, /* errors and warnings alone */
	UI_NORMAL = 0,
	UI_VERBOSE = 1,
};

/* Looks at stderr, NO_COLOR and TERM. */
void ui_init(enum ui_level level);

void ui_error(const struct err *err);
void ui_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A phase begins, or a result. */
void ui_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Only with -v. */
void ui_detail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * In a process without stderr: pass the texts of ui_warn(), ui_say() and ui_detail() to text, and
 * tell progress when the bar begins (true) and ends.
 */
enum ui_kind {
	UI_WARNING,
	UI_MESSAGE,
	UI_DETAIL,
	UI_KINDS,
};
void ui_divert(void (*text)(enum ui_kind kind, const char *text), void (*progress)(bool on));

/* Counters that a thread draws until ui_progress_end(). */
struct ui_progress {
	_Atomic uint64_t bytes, paths;
	uint64_t total_bytes, total_paths;
};

void ui_progress_begin(struct ui_progress *p);
void ui_progress_end(void);
/* Counters that a child process shares with its parent, zeroed. Call it once before the fork. */
struct ui_progress *ui_progress_shared(void);

/*
 * From now on ^C, SIGTERM and SIGHUP set the flag, which is returned; a second
 * one ends the process at once. Child processes see the same flag.
 */
const atomic_bool *ui_catch_signals(void);
/* The signal that came, or 0. */
int ui_signal(void);
/* From now on, a second signal does nothing. */
void ui_signals_once(void);
/* Clear the flag, and ignore further signals: what comes now must be completed. */
void ui_signals_ignore(void);

#endif
