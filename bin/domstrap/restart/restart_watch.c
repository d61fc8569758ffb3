/* SPDX-License-Identifier: MIT */
#include "restart/restart_watch.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/show.h"
#include "ui/ui.h"

#define STEP_MS 200
#define AGAIN_MS 1000      /* between two runs of the command, or of xl console */
#define LOOK_MS 1000       /* between two questions to xl */
#define CONSOLE_LINES 24   /* as many as a kernel panic has */
#define CONSOLE_TEXT 1400u /* bytes of an error's text */
#define CONSOLE_COLUMNS 160u

#define LOGIN "login: "
#define PANIC "Kernel panic" /* more lines than we show follow it */
/* guest.nix writes these, behind the time and the unit's name. */
#define UNIT "domstrap-confirm"
#define CONFIRMED ": confirmed: "
#define REFUSED ": not confirmed: "

/* ---- the console ---------------------------------------------------------- */

static void judge_line(struct watch *w)
{
	w->line[w->n] = '\0';
	w->login = w->login || strstr(w->line, LOGIN);
	if (strstr(w->line, PANIC))
		memcpy(w->panic, w->line, w->n + 1);
	if (w->verdict || !strstr(w->line, UNIT))
		return;
	if (strstr(w->line, CONFIRMED))
		w->verdict = 1;
	else if (strstr(w->line, REFUSED))
		w->verdict = -1;
}

/* A longer line is several. A NUL would hide the rest of it. */
static void take_line(struct watch *w, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' || w->n == sizeof w->line - 1) {
			judge_line(w);
			w->n = 0;
		}
		if (s.p[i] && s.p[i] != '\n')
			w->line[w->n++] = s.p[i];
	}
	judge_line(w);
}

/* xl console ends when the domain does, and where somebody else looks at it. */
static void attach(struct watch *w)
{
	char program[] = "xl", console[] = "console", number[16];
	char *argv[] = {program, console, number, NULL};
	struct err err = ERR_INIT;

	if (clock_ms() < w->attached + AGAIN_MS)
		return;
	w->attached = clock_ms();
	snprintf(number, sizeof number, "%d", w->guest->id);
	if (subprocess_start(&w->console, argv, true, &err) < 0)
		ui_detail("%s", err.text);
}

/* Read the console for a step. */
static void read_console(struct watch *w)
{
	struct tail *piece = xcalloc(1, sizeof *piece);
	int status;

	if (!w->console.pid)
		attach(w);
	(void)subprocess_poll(&w->console, STEP_MS, piece, &status);
	take_line(w, (struct str){piece->text, piece->n});
	tail_put(&w->shown, (struct str){piece->text, piece->n});
	free(piece);
}

/* ---- the command ---------------------------------------------------------- */

/* 1: it has succeeded. */
static int run_command(struct watch *w)
{
	char shell[] = "/bin/sh", option[] = "-c";
	_free_ char *command = xstrdup(w->health);
	char *argv[] = {shell, option, command, NULL};
	struct err err = ERR_INIT;

	if (!w->command.pid) {
		if (clock_ms() < w->again)
			return 0;
		running_tell(w->guest);
		w->saying.n = 0;
		if (subprocess_start(&w->command, argv, true, &err) < 0)
			ui_detail("%s", err.text);
	}
	if (w->command.pid && subprocess_poll(&w->command, 0, &w->saying, &w->status) == 1) {
		w->said = w->saying;
		w->again = clock_ms() + AGAIN_MS;
	}
	return !w->command.pid && w->status == 0;
}

/* ---- waiting -------------------------------------------------------------- */

void watch_start(struct watch *w, const struct running *guest, const char *health, unsigned seconds)
{
	memset(w, 0, sizeof *w);
	w->guest = guest;
	w->health = health;
	w->seconds = seconds;
	w->end = clock_ms() + (int64_t)seconds * 1000;
	w->console = w->command = (struct subprocess)SUBPROCESS_INIT;
	w->attached = -AGAIN_MS;
	w->status = -1;
}

/* -ERR_CHILD: the domain is not what was started. */
static int check_domain(const struct watch *w, struct err *err)
{
	int id = running_id(w->guest);

	if (id < 0 || id == w->guest->id)
		return 0;
	if (id)
		return err_set(err, ERR_CHILD, "%s: it restarted by itself, as domain %d",
		               w->guest->name, id);
	return err_set(err, ERR_CHILD, "%s: it stopped", w->guest->name);
}

static int too_late(const struct watch *w, const char *what, struct err *err)
{
	char shown[SHOW_SIZE];

	if (!w->health)
		return err_set(err, ERR_LIMIT, "%s: no %s on its console within %u s",
		               w->guest->name, what, w->seconds);
	if (w->status < 0)
		return err_set(err, ERR_LIMIT, "%s: the health command has not ended within %u s",
		               w->guest->name, w->seconds);
	return err_set(err, ERR_LIMIT,
	               "%s: the health command has not succeeded within %u s (status %d): %s",
	               w->guest->name, w->seconds, w->status,
	               show_str(tail_lines(&w->said, 1), shown));
}

/* One step: 0 go on, 1 the limit is reached, or an error. */
static int step(struct watch *w, int64_t *looked, struct err *err)
{
	int rc;

	if (ui_signal())
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	read_console(w);
	if (clock_ms() >= *looked + LOOK_MS) {
		*looked = clock_ms();
		rc = check_domain(w, err);
		if (rc < 0)
			return rc;
	}
	return clock_ms() >= w->end;
}

int watch_up(struct watch *w, struct err *err)
{
	int64_t looked = clock_ms();
	int rc = 0;

	while ((rc = step(w, &looked, err)) == 0)
		if (w->health ? run_command(w) : w->login)
			return check_domain(w, err);
	return rc < 0 ? rc : too_late(w, "login prompt", err);
}

int watch_verdict(struct watch *w, struct err *err)
{
	int64_t looked = 0;
	int rc = 0;

	while (!w->verdict && (rc = step(w, &looked, err)) == 0)
		;
	if (w->verdict < 0)
		return err_set(err, ERR_MISMATCH,
		               "%s: the guest has not confirmed its system (the journal of " UNIT
		               ".service)",
		               w->guest->name);
	if (w->verdict > 0)
		return check_domain(w, err);
	return rc;
}

static void format_lines(struct str lines, struct buf *out)
{
	while (lines.p) {
		struct str line = str_cut(&lines, '\n');

		while (line.n && line.p[0] == '\r')
			line = str_drop(line, 1);
		while (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (!line.n)
			continue;
		buf_puts(out, "\n  ");
		str_escape(out, (struct str){line.p, MIN(line.n, CONSOLE_COLUMNS)});
	}
}

/* As many lines as there is room for. */
void watch_add_console(const struct watch *w, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	enum err_code code = err->code;
	char before[ERR_TEXT_MAX];
	size_t n = CONSOLE_LINES + 1;

	if (!w->shown.n)
		return;
	do {
		struct str last = tail_lines(&w->shown, --n);

		buf_reset(&text);
		if (w->panic[0] && !memmem(last.p, last.n, PANIC, strlen(PANIC))) {
			format_lines(str_from(w->panic), &text);
			buf_puts(&text, "\n  ...");
		}
		format_lines(last, &text);
	} while (n > 1 && text.n > CONSOLE_TEXT);
	snprintf(before, sizeof before, "%s", err->text);
	(void)err_set(err, code, "%s; the last lines of its console:%.*s", before,
	              (int)MIN(text.n, CONSOLE_TEXT), text.n ? text.p : "");
}

void watch_end(struct watch *w)
{
	subprocess_kill(&w->console);
	subprocess_kill(&w->command);
}
