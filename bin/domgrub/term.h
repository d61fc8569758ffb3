/* SPDX-License-Identifier: MIT */
/*
 * The user's terminal: a raw pty of xl's, without a size, with the functions of a VT100. Only ASCII
 * is drawn.
 */
#ifndef DOMGRUB_TERM_H
#define DOMGRUB_TERM_H

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

#include "base/buf.h"
#include "base/str.h"

/* Keys are bytes, or one of these. */
enum {
	KEY_NONE = 256, /* timeout */
	KEY_END_OF_INPUT,
	KEY_RESIZE,
	KEY_ESC,
	KEY_UP,
	KEY_DOWN,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_HOME,
	KEY_END,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_DELETE,
	KEY_F10,
	KEY_OTHER, /* a sequence that we do not know */
};

#define KEY_CTRL(c) ((c) & 0x1f)

struct term {
	struct termios old;
	bool changed; /* old must be restored */
	unsigned rows, cols;
};

void term_init(struct term *t);
void term_fini(struct term *t);

/* The next key, waiting at most ms milliseconds; for ever where negative. */
int term_key(const struct term *t, int64_t ms);
/* Whether more keys were typed that were not read yet. */
bool term_key_waits(void);
/* Read the terminal's size again; 80 by 24 if it is unknown. */
void term_size(struct term *t);

/* Output is collected in a buffer and shown at once. */
void term_show(struct buf *b);
void term_clear(struct buf *b);
void term_move(struct buf *b, unsigned row, unsigned col); /* from 0 */
void term_reverse(struct buf *b, bool on);
void term_cursor(struct buf *b, bool visible);
/* Escaped, and cut to at most width columns; returns how many it took. */
unsigned term_text(struct buf *b, struct str s, unsigned width);

#endif
