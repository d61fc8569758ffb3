/* SPDX-License-Identifier: MIT */
#include "ui/ui.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define FRAME_NS (CLOCK_SECOND / 10)

static enum ui_level level;
static bool terminal, colour;
static struct {
	struct ui_progress *p;
	pthread_t thread;
	int64_t start; /* clock_ns() */
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t wake;
} bar = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

/* In memory that child processes share, if the host has a page for that. */
static struct shared {
	atomic_bool stop;
	struct ui_progress progress;
} own, *shared;
static volatile sig_atomic_t caught;
/* What the second signal does. */
static volatile enum { END, ONCE, IGNORE } patience;

static void share(void)
{
	void *p;

	if (shared)
		return;
	p = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared = p == MAP_FAILED ? &own : p;
}

void ui_init(enum ui_level wanted)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	level = wanted;
	terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
	colour = terminal && !(no_color && *no_color);
}

/*
 * A line of text and the bar take turns: the bar is wiped before, and drawn anew
 * with its next frame.
 */
static void line_begin(void)
{
	pthread_mutex_lock(&bar.lock);
	if (bar.running)
		fputs("\r\033[K", stderr);
}

static void line_end(void)
{
	pthread_mutex_unlock(&bar.lock);
}

static void (*diverted)(enum ui_kind kind, const char *text);
static void (*diverted_progress)(bool on);

void ui_divert(void (*text)(enum ui_kind kind, const char *text), void (*progress)(bool on))
{
	diverted = text;
	diverted_progress = progress;
}

__attribute__((format(printf, 2, 0))) static void divert(enum ui_kind kind, const char *fmt,
                                                         va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) >= 0) {
		diverted(kind, text);
		free(text);
	}
}

__attribute__((format(printf, 2, 0))) static void line(enum ui_kind kind, const char *fmt,
                                                       va_list ap)
{
	static const struct {
		const char *sgr, *head;
	} look[UI_KINDS] = {
	        [UI_WARNING] = {"1;33", "warning: "},
	        [UI_MESSAGE] = {"", ""},
	        [UI_DETAIL] = {"2", "  "},
	};
	const char *sgr = look[kind].sgr, *head = look[kind].head;

	if (diverted) {
		divert(kind, fmt, ap);
		return;
	}
	line_begin();
	if (colour && *sgr)
		fprintf(stderr, "\033[%sm%s\033[0m", sgr, head);
	else
		fputs(head, stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	line_end();
}

void ui_error(const struct err *err)
{
	line_begin();
	fprintf(stderr, "%sdomstrap:%s %s\n", colour ? "\033[1;31m" : "", colour ? "\033[0m" : "",
	        err->text);
	line_end();
}

void ui_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line(UI_WARNING, fmt, ap);
	va_end(ap);
}

void ui_say(const char *fmt, ...)
{
	va_list ap;

	if (level < UI_NORMAL)
		return;
	va_start(ap, fmt);
	line(UI_MESSAGE, fmt, ap);
	va_end(ap);
}

void ui_detail(const char *fmt, ...)
{
	va_list ap;

	if (level < UI_VERBOSE)
		return;
	va_start(ap, fmt);
	line(UI_DETAIL, fmt, ap);
	va_end(ap);
}

/* ---- progress ------------------------------------------------------------- */

static int columns(void)
{
	struct winsize ws;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
		return ws.ws_col;
	return 80;
}

static void draw(void)
{
	struct ui_progress *p = bar.p;
	uint64_t bytes = atomic_load(&p->bytes), paths = atomic_load(&p->paths);
	uint64_t all = p->total_bytes, all_paths = p->total_paths;
	double t = clock_seconds_since(bar.start), rate = t > 0.2 ? (double)bytes / t : 0;
	char done[16], total[16], speed[16], text[200];
	int n, width = columns() - 1;

	n = snprintf(text, sizeof text, "  %3.0f%%  %s of %s",
	             all ? 100.0 * (double)bytes / (double)all : 100.0, str_human(bytes, done),
	             str_human(all, total));
	if (all_paths)
		n += snprintf(text + n, sizeof text - (size_t)n,
		              ", %" PRIu64 " of %" PRIu64 " paths", paths, all_paths);
	if (rate > 0 && n > 0 && (size_t)n < sizeof text)
		snprintf(text + n, sizeof text - (size_t)n, ", %s/s, %.0f s left",
		         str_human((uint64_t)rate, speed), (double)(all - MIN(bytes, all)) / rate);
	fprintf(stderr, "\r%.*s\033[K", width, text);
	fflush(stderr);
}

static void *draw_loop(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&bar.lock);
	while (bar.running) {
		draw();
		clock_wait(&bar.wake, &bar.lock, FRAME_NS);
	}
	pthread_mutex_unlock(&bar.lock);
	return NULL;
}

void ui_progress_begin(struct ui_progress *p)
{
	sigset_t all, old;

	if (diverted_progress)
		diverted_progress(true);
	if (diverted_progress || bar.running)
		return;
	bar.p = p;
	if (!terminal || level < UI_NORMAL)
		return;
	bar.start = clock_ns();
	bar.running = true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&bar.thread, NULL, draw_loop, NULL) != 0)
		bar.running = false;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void ui_progress_end(void)
{
	if (diverted_progress)
		diverted_progress(false);
	if (diverted_progress || !bar.running)
		return;
	pthread_mutex_lock(&bar.lock);
	bar.running = false;
	pthread_cond_signal(&bar.wake);
	pthread_mutex_unlock(&bar.lock);
	pthread_join(bar.thread, NULL);
	fputs("\r\033[K", stderr);
	fflush(stderr);
}

struct ui_progress *ui_progress_shared(void)
{
	share();
	shared->progress = (struct ui_progress){0};
	return &shared->progress;
}

/* ---- signals -------------------------------------------------------------- */

static void on_signal(int sig)
{
	if (patience == IGNORE || (caught && patience == ONCE))
		return;
	if (caught)
		_exit(128 + sig);
	caught = sig;
	atomic_store(&shared->stop, true);
}

const atomic_bool *ui_catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction sa = {.sa_handler = on_signal};

	share();
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		sigaction(signals[i], &sa, NULL);
	/* A limit on file sizes (ulimit -f) is an error like any other. */
	signal(SIGXFSZ, SIG_IGN);
	return &shared->stop;
}

int ui_signal(void)
{
	return caught;
}

void ui_signals_once(void)
{
	patience = ONCE;
}

void ui_signals_ignore(void)
{
	patience = IGNORE;
	caught = 0;
	atomic_store(&shared->stop, false);
}
