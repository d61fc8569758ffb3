/* SPDX-License-Identifier: MIT */
#include "term.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "warden.h"

#define ROWS_USUAL 24
#define COLS_USUAL 80
#define SIZE_MAX_SANE 500
#define ESC_WAIT_MS 100 /* the rest of a key's escape sequence follows at once */
#define SEQUENCE_MAX 8

static volatile sig_atomic_t resized;

static void on_resize(int sig)
{
	resized = 1;
}

void term_size(struct term *t)
{
	struct winsize w;

	t->rows = ROWS_USUAL;
	t->cols = COLS_USUAL;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0)
		return;
	if (w.ws_row >= 4 && w.ws_row <= SIZE_MAX_SANE)
		t->rows = w.ws_row;
	if (w.ws_col >= 20 && w.ws_col <= SIZE_MAX_SANE)
		t->cols = w.ws_col;
}

void term_init(struct term *t)
{
	struct sigaction sa = {.sa_handler = on_resize};
	struct termios raw;

	*t = (struct term){.changed = false};
	if (tcgetattr(STDIN_FILENO, &t->old) == 0) {
		raw = t->old;
		cfmakeraw(&raw);
		t->changed = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
	}
	sigaction(SIGWINCH, &sa, NULL);
	term_size(t);
}

void term_fini(struct term *t)
{
	struct buf b = BUF_INIT;

	term_reverse(&b, false);
	term_cursor(&b, true);
	term_clear(&b);
	term_show(&b);
	buf_fini(&b);
	if (t->changed)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &t->old);
	t->changed = false;
}

/* One byte, or KEY_NONE, KEY_RESIZE, KEY_END_OF_INPUT. */
static int byte_get(int64_t ms)
{
	int64_t end = ms < 0 ? -1 : clock_ms() + ms;
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

	for (;;) {
		int64_t left = end < 0 ? 1000 : end - clock_ms();
		unsigned char c;
		int rc;

		if (warden_stop)
			return KEY_END_OF_INPUT;
		if (resized) {
			resized = 0;
			return KEY_RESIZE;
		}
		if (left < 0)
			return KEY_NONE;
		rc = poll(&p, 1, (int)MIN(left, 1000));
		if (rc < 0 && errno != EINTR)
			return KEY_END_OF_INPUT;
		if (rc > 0)
			return read(STDIN_FILENO, &c, 1) == 1 ? c : KEY_END_OF_INPUT;
		if (rc == 0 && end >= 0 && clock_ms() >= end)
			return KEY_NONE;
	}
}

/* What follows ESC [ or ESC O, its last byte included. */
static const struct {
	const char *sequence;
	int key;
} sequences[] = {
        {"A", KEY_UP},      {"B", KEY_DOWN},  {"C", KEY_RIGHT},    {"D", KEY_LEFT},
        {"H", KEY_HOME},    {"F", KEY_END},   {"1~", KEY_HOME},    {"7~", KEY_HOME},
        {"4~", KEY_END},    {"8~", KEY_END},  {"5~", KEY_PAGE_UP}, {"6~", KEY_PAGE_DOWN},
        {"3~", KEY_DELETE}, {"21~", KEY_F10},
};

static int sequence_get(void)
{
	char s[SEQUENCE_MAX + 1] = "";
	int c = byte_get(ESC_WAIT_MS);

	if (c != '[' && c != 'O')
		return c > 255 ? KEY_ESC : KEY_OTHER;
	for (size_t n = 0; n < SEQUENCE_MAX; n++) {
		c = byte_get(ESC_WAIT_MS);
		if (c > 255)
			return n ? KEY_OTHER : KEY_ESC;
		s[n] = (char)c;
		if (c >= 0x40 && c <= 0x7e)
			break;
	}
	for (size_t i = 0; i < ARRAY_LEN(sequences); i++)
		if (strcmp(s, sequences[i].sequence) == 0)
			return sequences[i].key;
	return KEY_OTHER;
}

int term_key(const struct term *t, int64_t ms)
{
	int c = byte_get(ms);

	return c == 0x1b ? sequence_get() : c;
}

bool term_key_waits(void)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

void term_show(struct buf *b)
{
	struct err err = ERR_INIT;

	(void)io_write(STDOUT_FILENO, "terminal", buf_str(b).p, b->n, &err);
	buf_reset(b);
}

void term_clear(struct buf *b)
{
	buf_puts(b, "\033[2J\033[H");
}

void term_move(struct buf *b, unsigned row, unsigned col)
{
	buf_putf(b, "\033[%u;%uH", row + 1, col + 1);
}

void term_reverse(struct buf *b, bool on)
{
	buf_puts(b, on ? "\033[7m" : "\033[m");
}

void term_cursor(struct buf *b, bool visible)
{
	buf_puts(b, visible ? "\033[?25h" : "\033[?25l");
}

unsigned term_text(struct buf *b, struct str s, unsigned width)
{
	struct buf e = BUF_INIT;
	unsigned n;

	str_escape(&e, (struct str){s.p, MIN(s.n, width)});
	n = (unsigned)MIN(e.n, width);
	buf_put(b, buf_str(&e).p, n);
	buf_fini(&e);
	return n;
}
