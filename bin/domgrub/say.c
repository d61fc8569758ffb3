/* SPDX-License-Identifier: MIT */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/mem.h"

#define WARNINGS_MAX 200

bool say_debugging;

static char *said[WARNINGS_MAX];
static size_t said_n;
static size_t held_from; /* first warning that was not printed yet */
static bool held;

static void line(const char *prefix, struct str text)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	buf_puts(&b, prefix);
	str_escape(&b, text);
	buf_puts(&b, isatty(STDERR_FILENO) ? "\r\n" : "\n");
	(void)io_write(STDERR_FILENO, "stderr", b.p, b.n, &err);
	buf_fini(&b);
}

void say_error(struct str text)
{
	line("domgrub: ", text);
}

static void held_say(void)
{
	for (; held_from < said_n; held_from++)
		line("domgrub: warning: ", str_from(said[held_from]));
}

void say_hold(bool hold)
{
	held = hold;
	if (!held)
		held_say();
}

void say_warning(struct str text)
{
	for (size_t i = 0; i < said_n; i++)
		if (str_is(text, said[i]))
			return;
	if (said_n == WARNINGS_MAX)
		return;
	said[said_n++] = xstrndup(text.p, text.n);
	if (!held)
		held_say();
}

void say_debug(const char *fmt, ...)
{
	_free_ char *s = NULL;
	va_list ap;

	if (!say_debugging)
		return;
	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	if (s)
		line("domgrub: debug: ", str_from(s));
}

void say_fini(void)
{
	held_say();
	while (said_n)
		free(said[--said_n]);
	held_from = 0;
}
