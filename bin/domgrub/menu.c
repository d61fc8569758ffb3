/* SPDX-License-Identifier: MIT */
#include "menu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edit.h"
#include "grub/menu.h"
#include "say.h"
#include "term.h"

#define FIRST_ROW 2 /* of the entries */
#define ROWS_AROUND 6
#define DIGITS_MS 1500 /* digits typed faster than this are one number */
#define SHELL_TEXT_MAX 65536

#define HELP_1 "Up, Down, j, k, Home, End, digits: move   Enter: boot   Esc: back"
#define HELP_2 "e: edit   a: arguments   c: command line   q: quit"

/* A menu that was opened. */
struct view {
	struct buf body; /* memory that m borrows from */
	struct msg_menu m;
	uint32_t at;  /* selected */
	uint32_t top; /* first one shown */
};

struct menu {
	struct warden *w;
	struct term t;
	struct view view[MSG_DEPTH_MAX];
	uint32_t n;        /* number of open views */
	int64_t deadline;  /* when it boots by itself, in ms; -1: never */
	bool hidden;       /* nothing was drawn yet; the first key draws the menu */
	char message[512]; /* the last error, shown until the next key */
	uint64_t number;   /* typed digits */
	int64_t number_at; /* when the last was typed */
	struct msg_plan *plan;
	struct buf *body;
	char **args;
};

/* Results of a key; 0 means "continue". */
enum { DONE = 1, NOBODY = 2 };

static struct view *top(struct menu *m)
{
	return &m->view[m->n - 1];
}

static void view_fini(struct view *v)
{
	msg_menu_fini(&v->m);
	buf_fini(&v->body);
}

static void menu_fini(struct menu *m)
{
	while (m->n)
		view_fini(&m->view[--m->n]);
	term_fini(&m->t);
	say_hold(false);
}

static int view_push(struct menu *m, struct buf *body, struct err *err)
{
	struct view v = {.body = *body};
	int rc;

	*body = (struct buf)BUF_INIT;
	rc = msg_menu_get(buf_str(&v.body), &v.m, err);
	if (rc == 0 && (v.m.depth > m->n || v.m.depth >= MSG_DEPTH_MAX)) {
		rc = err_set(err, ERR_FORMAT, "child: menu %u of %u", v.m.depth, m->n);
		msg_menu_fini(&v.m);
	}
	if (rc < 0) {
		buf_fini(&v.body);
		return rc;
	}
	while (m->n > v.m.depth)
		view_fini(&m->view[--m->n]);
	v.at = v.m.default_;
	m->view[m->n++] = v;
	return 0;
}

static void message_set(struct menu *m, struct str text)
{
	snprintf(m->message, sizeof m->message, "%.*s", (int)MIN(text.n, sizeof m->message - 1),
	         text.p);
}

/* A failed request is shown, and the menu continues; a lost child ends it. */
static int trouble(struct menu *m, struct err *err)
{
	if (err->code == ERR_CHILD || err->code == ERR_INTERRUPTED)
		return -(int)err->code;
	message_set(m, str_from(err->text));
	return 0;
}

static void entry_draw(struct menu *m, struct buf *b, const struct view *v, uint32_t i,
                       unsigned row)
{
	unsigned width = m->t.cols - 1;
	struct buf line = BUF_INIT;

	term_move(b, row, 0);
	if (i == v->at)
		term_reverse(b, true);
	buf_putf(&line, "%c%3u  ", i == v->at ? '>' : ' ', i);
	buf_put(&line, v->m.entry[i].title.p, MIN(v->m.entry[i].title.n, width));
	if (v->m.entry[i].submenu)
		buf_puts(&line, "  -->");
	term_text(b, buf_str(&line), width);
	if (i == v->at)
		term_reverse(b, false);
	buf_fini(&line);
}

static void footer_draw(struct menu *m, struct buf *b, unsigned row)
{
	unsigned width = m->t.cols - 1;

	if (row + 2 >=
	    m->t.rows) { /* a terminal with few rows: the most important line is in the last row */
		term_move(b, m->t.rows - 1, 0);
		term_text(b, m->message[0] ? str_from(m->message) : STR(HELP_1), width);
		return;
	}
	term_move(b, row, 0);
	term_text(b, STR(HELP_1), width);
	term_move(b, row + 1, 0);
	term_text(b, STR(HELP_2), width);
	term_move(b, row + 2, 0);
	term_text(b, str_from(m->message), width);
}

static void countdown_draw(struct menu *m)
{
	struct buf b = BUF_INIT;
	int64_t left = (m->deadline - clock_ms() + 999) / 1000;
	char text[64];

	if (m->hidden && top(m)->m.style == GRUB_STYLE_HIDDEN)
		return;
	snprintf(text, sizeof text, "Boots in %lld s; any key %s.  ", (long long)MAX(left, 0),
	         m->hidden ? "shows the menu" : "stops the countdown");
	term_move(&b, m->t.rows - 1, 0);
	term_text(&b, str_from(text), m->t.cols - 1);
	term_show(&b);
	buf_fini(&b);
}

static void draw(struct menu *m)
{
	struct view *v = top(m);
	uint32_t rows = m->t.rows > ROWS_AROUND + 1 ? m->t.rows - ROWS_AROUND : 1;
	struct buf b = BUF_INIT;

	if (v->at < v->top)
		v->top = v->at;
	if (v->at >= v->top + rows)
		v->top = v->at - rows + 1;
	term_clear(&b);
	term_cursor(&b, false);
	term_text(&b, v->m.title.n ? v->m.title : STR("Boot menu of the guest"), m->t.cols - 1);
	for (uint32_t i = v->top; i < v->m.n && i < v->top + rows; i++)
		entry_draw(m, &b, v, i, FIRST_ROW + i - v->top);
	footer_draw(m, &b, FIRST_ROW + MIN(rows, v->m.n - v->top) + 1);
	term_show(&b);
	buf_fini(&b);
	if (m->deadline >= 0)
		countdown_draw(m);
}

/* Handle the result of a request that makes a plan or opens a menu. */
static int answer_take(struct menu *m, uint32_t type, struct buf *body, struct err *err)
{
	int rc;

	if (type == MSG_MENU) {
		rc = view_push(m, body, err);
		return rc < 0 ? rc : 0;
	}
	if (type != MSG_PLAN)
		return err_set(err, ERR_CHILD,
		               "child: unexpected message %u, expected the boot plan", type);
	buf_fini(m->body);
	*m->body = *body;
	*body = (struct buf)BUF_INIT;
	rc = msg_plan_get(buf_str(m->body), m->plan, err);
	if (rc == 0)
		rc = plan_check(m->w, m->plan, err);
	return rc < 0 ? trouble(m, err) : DONE;
}

static int enter(struct menu *m, struct str edited, struct err *err)
{
	struct view *v = top(m);
	struct req r = {.depth = v->m.depth,
	                .entry = v->at,
	                .has_text = edited.p != NULL,
	                .text = edited.p ? edited : STR(""),
	                .more = STR("")};
	struct buf body = BUF_INIT;
	uint32_t type;
	int rc;

	if (!v->m.n)
		return 0;
	rc = warden_ask(m->w, REQ_ENTER, &r, &type, &body, err);
	rc = rc < 0 ? trouble(m, err) : answer_take(m, type, &body, err);
	buf_fini(&body);
	return rc;
}

static int edit_entry(struct menu *m, struct err *err)
{
	struct view *v = top(m);
	struct req r = {.depth = v->m.depth, .entry = v->at, .text = STR(""), .more = STR("")};
	struct buf body = BUF_INIT, text = BUF_INIT;
	struct str lines;
	uint32_t type;
	int rc;

	if (!v->m.n)
		return 0;
	rc = warden_ask(m->w, REQ_BODY, &r, &type, &body, err);
	if (rc == 0)
		rc = msg_text_get(buf_str(&body), &lines, err);
	if (rc < 0) {
		rc = trouble(m, err);
	} else {
		buf_put(&text, lines.p, lines.n);
		if (edit_text(&m->t, "Edit the entry.  Ctrl-X: boot   Esc: back", false, &text) ==
		    0)
			rc = enter(m, buf_str(&text), err);
	}
	buf_fini(&body);
	buf_fini(&text);
	return rc;
}

static int edit_args(struct menu *m, struct err *err)
{
	const char *more = m->w->o->args;
	struct buf text = BUF_INIT;
	int rc = enter(m, (struct str){NULL, 0}, err);

	if (rc != DONE)
		return rc;
	buf_put(&text, m->plan->args.p, m->plan->args.n);
	if (more && *more)
		buf_putf(&text, "%s%s", text.n ? " " : "", more);
	rc = 0;
	if (edit_text(&m->t, "Edit the kernel's arguments.  Enter: boot   Esc: back", true,
	              &text) == 0) {
		*m->args = buf_steal(&text);
		rc = DONE;
	}
	buf_fini(&text);
	return rc;
}

/* Output of the command line: escaped lines. */
static void shell_show(struct str text)
{
	struct buf b = BUF_INIT;

	while (text.p) {
		struct str line = str_cut(&text, '\n');

		if (!text.p && !line.n)
			break;
		str_escape(&b, line);
		buf_puts(&b, "\r\n");
	}
	term_show(&b);
	buf_fini(&b);
}

/* Run one line typed at the prompt. 0, or 1 if the user leaves. */
static int shell_line(struct menu *m, struct buf *line)
{
	struct buf b = BUF_INIT;
	int key;

	buf_reset(line);
	buf_puts(&b, "grub> ");
	term_show(&b);
	while ((key = term_key(&m->t, -1)) != '\r' && key != '\n') {
		if (key == KEY_ESC || key == KEY_CTRL('c') || key == KEY_END_OF_INPUT) {
			buf_fini(&b);
			return 1;
		}
		if ((key == 0x7f || key == 0x08) && line->n) {
			line->n--;
			buf_puts(&b, "\b \b");
		} else if (key >= 0x20 && key < 0x7f && line->n < EDIT_MAX) {
			buf_u8(line, (uint8_t)key);
			buf_u8(&b, (uint8_t)key);
		}
		term_show(&b);
	}
	buf_puts(&b, "\r\n");
	term_show(&b);
	buf_fini(&b);
	return 0;
}

static int shell_ask(struct menu *m, struct buf *line, bool *leave, struct err *err)
{
	struct req r = {.depth = top(m)->m.depth, .text = buf_str(line), .more = STR("")};
	struct buf body = BUF_INIT;
	struct str text;
	uint32_t type;
	int rc = warden_ask(m->w, REQ_SHELL, &r, &type, &body, err);

	if (rc < 0 && trouble(m, err) == 0) {
		shell_show(str_from(err->text));
		rc = 0;
	} else if (rc == 0 && type == MSG_TEXT) {
		rc = msg_text_get(buf_str(&body), &text, err);
		if (rc == 0)
			shell_show(text);
	} else if (rc == 0) {
		rc = answer_take(m, type, &body, err);
		*leave = true;
	}
	buf_fini(&body);
	return rc;
}

static int shell(struct menu *m, struct err *err)
{
	struct buf line = BUF_INIT, b = BUF_INIT;
	bool leave = false;
	int rc = 0;

	term_clear(&b);
	term_cursor(&b, true);
	buf_puts(&b, "GRUB's command line.  boot: boot   Esc: back\r\n\r\n");
	term_show(&b);
	while (rc == 0 && !leave && shell_line(m, &line) == 0)
		if (line.n)
			rc = shell_ask(m, &line, &leave, err);
	m->message[0] = '\0';
	buf_fini(&b);
	buf_fini(&line);
	return rc;
}

static void digit(struct menu *m, unsigned d)
{
	struct view *v = top(m);
	int64_t now = clock_ms();

	if (now - m->number_at > DIGITS_MS || m->number * 10 + d >= v->m.n)
		m->number = 0;
	m->number = m->number * 10 + d;
	m->number_at = now;
	if (m->number < v->m.n)
		v->at = (uint32_t)m->number;
}

static void move(struct menu *m, int key)
{
	struct view *v = top(m);
	uint32_t last = v->m.n ? v->m.n - 1 : 0, page = m->t.rows / 2;

	if (key == KEY_UP || key == 'k' || key == KEY_CTRL('p'))
		v->at -= v->at > 0;
	else if (key == KEY_DOWN || key == 'j' || key == KEY_CTRL('n'))
		v->at += v->at < last;
	else if (key == KEY_HOME)
		v->at = 0;
	else if (key == KEY_END)
		v->at = last;
	else if (key == KEY_PAGE_UP)
		v->at -= MIN(v->at, page);
	else if (key == KEY_PAGE_DOWN)
		v->at = MIN(v->at + page, last);
	else if (key >= '0' && key <= '9')
		digit(m, (unsigned)(key - '0'));
}

/* 0: continue; DONE; NOBODY; or -ERR_*. */
static int key_do(struct menu *m, int key, struct err *err)
{
	m->message[0] = '\0';
	switch (key) {
	case '\r':
	case '\n':
	case KEY_RIGHT:
		return enter(m, (struct str){NULL, 0}, err);
	case 'e':
		return edit_entry(m, err);
	case 'a':
		return edit_args(m, err);
	case 'c':
		return shell(m, err);
	case 'q':
	case KEY_CTRL('c'):
		return err_set(err, ERR_INTERRUPTED, "the user quit the menu");
	case KEY_END_OF_INPUT:
		return err_set(err, ERR_INTERRUPTED, "the terminal was closed");
	case KEY_ESC:
	case KEY_LEFT:
		if (m->n > 1)
			view_fini(&m->view[--m->n]);
		return 0;
	default:
		move(m, key);
		return 0;
	}
}

static int loop(struct menu *m, struct err *err)
{
	int rc = 0;

	while (rc == 0) {
		int64_t left = m->deadline < 0 ? -1 : m->deadline - clock_ms();
		int key;

		if (m->deadline >= 0 && left <= 0)
			return NOBODY;
		key = term_key(&m->t, left < 0 ? -1 : MIN(left, 1000));
		if (key == KEY_NONE) {
			countdown_draw(m);
			continue;
		}
		if (key == KEY_RESIZE) {
			term_size(&m->t);
		} else {
			m->deadline = -1;
			/* The key that shows the menu has no other effect. */
			if (!m->hidden || key == KEY_END_OF_INPUT || key == KEY_CTRL('c'))
				rc = key_do(m, key, err);
			m->hidden = false;
		}
		if (rc == 0 && !m->hidden)
			draw(m);
	}
	return rc;
}

static int first_get(struct menu *m, struct err *err)
{
	struct req r = {.text = STR(""), .more = STR("")};
	struct buf body = BUF_INIT;
	uint32_t type;
	int rc = warden_ask(m->w, REQ_MENU, &r, &type, &body, err);

	if (rc == 0)
		rc = view_push(m, &body, err);
	buf_fini(&body);
	return rc;
}

int menu_run(struct warden *w, struct msg_plan *plan, struct buf *body, char **args,
             struct err *err)
{
	_free_ struct menu *m = xcalloc(1, sizeof *m);
	int rc;

	*m = (struct menu){.w = w, .plan = plan, .body = body, .args = args};
	rc = first_get(m, err);
	if (rc < 0)
		return rc;
	if (top(m)->m.timeout_ms == 0) {
		view_fini(&m->view[--m->n]);
		return 1;
	}
	m->deadline = top(m)->m.timeout_ms < 0 ? -1 : clock_ms() + top(m)->m.timeout_ms;
	say_hold(true);
	term_init(&m->t);
	m->hidden = m->deadline >= 0 && top(m)->m.style != GRUB_STYLE_MENU;
	if (m->hidden)
		countdown_draw(m);
	else
		draw(m);
	rc = loop(m, err);
	menu_fini(m);
	if (rc < 0)
		return rc;
	return rc == NOBODY;
}
