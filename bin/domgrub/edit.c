/* SPDX-License-Identifier: MIT */
#include "edit.h"

#include <string.h>

#include "base/mem.h"

#define TEXT_ROW 2 /* where the text begins, below the heading */

struct edit {
	struct term *t;
	const char *heading;
	bool one_line;
	struct buf *text;
	size_t pos; /* the cursor: a byte of the text */
	size_t top; /* the first line shown */
};

static size_t line_start(const struct edit *e, size_t pos)
{
	while (pos && e->text->p[pos - 1] != '\n')
		pos--;
	return pos;
}

static size_t line_end(const struct edit *e, size_t pos)
{
	while (pos < e->text->n && e->text->p[pos] != '\n')
		pos++;
	return pos;
}

/* Columns that bytes take when they are escaped. */
static size_t columns(struct str s)
{
	struct buf b = BUF_INIT;
	size_t n;

	str_escape(&b, s);
	n = b.n;
	buf_fini(&b);
	return n;
}

static size_t lines_before(const struct edit *e, size_t pos)
{
	size_t n = 0;

	for (size_t i = 0; i < pos; i++)
		n += e->text->p[i] == '\n';
	return n;
}

/* Draw a line of the text, scrolled so that the cursor is visible. */
static void line_draw(const struct edit *e, struct buf *b, struct str line, size_t shift)
{
	struct buf escaped = BUF_INIT;
	struct str s;

	str_escape(&escaped, line);
	s = str_drop(buf_str(&escaped), shift);
	s.n = MIN(s.n, e->t->cols - 1);
	buf_put(b, s.p, s.n);
	buf_fini(&escaped);
}

static void draw(struct edit *e)
{
	size_t start = line_start(e, e->pos), row = lines_before(e, e->pos);
	size_t col = columns((struct str){e->text->p + start, e->pos - start});
	size_t shift = col >= e->t->cols - 1 ? col - (e->t->cols - 2) : 0;
	size_t rows = e->t->rows - TEXT_ROW - 1, n = 0;
	struct str rest = buf_str(e->text);
	struct buf b = BUF_INIT;

	if (row < e->top)
		e->top = row;
	if (row >= e->top + rows)
		e->top = row - rows + 1;
	term_clear(&b);
	term_text(&b, str_from(e->heading), e->t->cols - 1);
	for (; rest.p && n < e->top + rows; n++) {
		struct str line = str_cut(&rest, '\n');

		if (n < e->top)
			continue;
		term_move(&b, (unsigned)(TEXT_ROW + n - e->top), 0);
		line_draw(e, &b, line, n == row ? shift : 0);
	}
	term_move(&b, (unsigned)(TEXT_ROW + row - e->top), (unsigned)(col - shift));
	term_cursor(&b, true);
	term_show(&b);
	buf_fini(&b);
}

static void cut(struct edit *e, size_t from, size_t to)
{
	memmove(e->text->p + from, e->text->p + to, e->text->n - to + 1);
	e->text->n -= to - from;
	e->pos = from;
}

static void insert(struct edit *e, char c)
{
	if (e->text->n >= EDIT_MAX)
		return;
	buf_put(e->text, &c, 1);
	memmove(e->text->p + e->pos + 1, e->text->p + e->pos, e->text->n - 1 - e->pos);
	e->text->p[e->pos++] = c;
}

/* Move to the line above or below, to about the same column. */
static void move_line(struct edit *e, bool down)
{
	size_t start = line_start(e, e->pos), in = e->pos - start, to;

	if (down) {
		to = line_end(e, e->pos);
		if (to == e->text->n)
			return;
		to++;
	} else {
		if (!start)
			return;
		to = line_start(e, start - 1);
	}
	e->pos = MIN(to + in, line_end(e, to));
}

static void move(struct edit *e, int key)
{
	switch (key) {
	case KEY_LEFT:
		e->pos -= e->pos > 0;
		break;
	case KEY_RIGHT:
		e->pos += e->pos < e->text->n;
		break;
	case KEY_UP:
	case KEY_DOWN:
		move_line(e, key == KEY_DOWN);
		break;
	case KEY_HOME:
	case KEY_CTRL('a'):
		e->pos = line_start(e, e->pos);
		break;
	case KEY_END:
	case KEY_CTRL('e'):
		e->pos = line_end(e, e->pos);
		break;
	default:
		break;
	}
}

static void change(struct edit *e, int key)
{
	switch (key) {
	case 0x7f:
	case 0x08:
		if (e->pos)
			cut(e, e->pos - 1, e->pos);
		break;
	case KEY_DELETE:
		if (e->pos < e->text->n)
			cut(e, e->pos, e->pos + 1);
		break;
	case KEY_CTRL('k'):
		cut(e, e->pos, line_end(e, e->pos));
		break;
	case KEY_CTRL('u'):
		cut(e, line_start(e, e->pos), e->pos);
		break;
	case '\r':
	case '\n':
		insert(e, '\n');
		break;
	default:
		if (key >= 0x20 && key < 256)
			insert(e, (char)key);
		else
			move(e, key);
	}
}

int edit_text(struct term *t, const char *heading, bool one_line, struct buf *text)
{
	struct edit e = {.t = t, .heading = heading, .one_line = one_line, .text = text};

	buf_put(text, "", 0); /* includes the NUL */
	if (one_line)
		e.pos = text->n;
	for (;;) {
		int key;

		if (!term_key_waits()) /* pasted text is drawn once */
			draw(&e);
		key = term_key(t, -1);
		if (key == KEY_ESC || key == KEY_CTRL('c') || key == KEY_END_OF_INPUT)
			return 1;
		if (key == KEY_CTRL('x') || key == KEY_F10 ||
		    (one_line && (key == '\r' || key == '\n')))
			return 0;
		if (key == KEY_RESIZE)
			term_size(t);
		else
			change(&e, key);
	}
}
