/* SPDX-License-Identifier: MIT */
#include "list.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/utf8.h"

#define LIST_MAX (64u << 20) /* bytes of text that we print */

/* The last item's position in the tree of menus. */
struct place {
	char *title[MSG_DEPTH_MAX + 1];
	unsigned number[MSG_DEPTH_MAX + 1];
	uint32_t depth;
	bool started;
};

static void place_fini(struct place *p)
{
	for (size_t i = 0; i < ARRAY_LEN(p->title); i++)
		free(p->title[i]);
}

/* An item goes at most one deeper than the one before, and below a submenu. */
static int place_move(struct place *p, const struct msg_item *i, struct err *err)
{
	if (i->depth > (p->started ? p->depth + 1 : 0))
		return err_set(err, ERR_FORMAT, "child: unexpected nesting of a list item");
	if (!p->started || i->depth > p->depth)
		p->number[i->depth] = 0;
	else
		p->number[i->depth]++;
	free(p->title[i->depth]);
	p->title[i->depth] = xstrndup(i->title.p, i->title.n);
	p->depth = i->depth;
	p->started = true;
	return 0;
}

/* "a>b", with '>' in a title doubled, as --entry and GRUB take it. */
static void place_title(const struct place *p, struct buf *out)
{
	for (uint32_t d = 0; d <= p->depth; d++) {
		if (d)
			buf_puts(out, ">");
		for (const char *c = p->title[d]; *c; c++)
			buf_put(out, *c == '>' ? ">>" : c, *c == '>' ? 2 : 1);
	}
}

static void place_number(const struct place *p, struct buf *out)
{
	for (uint32_t d = 0; d <= p->depth; d++)
		buf_putf(out, "%s%u", d ? ">" : "", p->number[d]);
}

static void line(struct buf *out, const char *name, struct str text)
{
	buf_puts(out, name);
	str_escape(out, text);
	buf_puts(out, "\n");
}

static void text_put(const struct place *p, const struct msg_item *i, struct buf *out)
{
	struct buf title = BUF_INIT;

	if (i->submenu && !i->trouble.n)
		return;
	place_title(p, &title);
	line(out, "title: ", buf_str(&title));
	buf_fini(&title);
	if (i->trouble.n) {
		line(out, "  error: ", i->trouble);
		return;
	}
	line(out, "  root: ", i->root);
	line(out, "  kernel: ", i->kernel);
	line(out, "  args: ", i->args);
	if (i->has_initrd)
		line(out, "  initrd: ", i->initrd);
}

static void json_text(struct buf *out, const char *name, struct str s)
{
	buf_putf(out, "\"%s\": ", name);
	utf8_json(out, s);
}

static void json_put(const struct place *p, const struct msg_item *i, struct buf *out)
{
	struct buf number = BUF_INIT;

	place_number(p, &number);
	buf_puts(out, out->n ? ",\n  {" : "[\n  {");
	json_text(out, "entry", buf_str(&number));
	buf_puts(out, ", ");
	json_text(out, "title", i->title);
	buf_puts(out, ", ");
	json_text(out, "id", i->id);
	buf_putf(out, ", \"default\": %s, \"submenu\": %s", i->default_ ? "true" : "false",
	         i->submenu ? "true" : "false");
	buf_puts(out, ", ");
	if (i->trouble.n) {
		json_text(out, "error", i->trouble);
	} else if (!i->submenu) {
		json_text(out, "kernel", i->kernel);
		buf_puts(out, ", ");
		json_text(out, "args", i->args);
		buf_puts(out, ", ");
		json_text(out, "initrd", i->initrd);
	} else {
		out->n -= 2; /* the ", " */
	}
	buf_puts(out, "}");
	buf_fini(&number);
}

static int items_get(struct warden *w, struct buf *out, struct err *err)
{
	struct req r = {.text = STR(""), .more = STR("")};
	_cleanup_(place_fini) struct place place = {.depth = 0};
	struct buf body = BUF_INIT;
	struct msg_item item;
	uint32_t type;
	int rc = warden_ask(w, REQ_LIST, &r, &type, &body, err);

	while (rc == 0 && type == MSG_ITEM) {
		rc = msg_item_get(buf_str(&body), &item, err);
		if (rc == 0)
			rc = place_move(&place, &item, err);
		if (rc < 0)
			break;
		if (w->o->json)
			json_put(&place, &item, out);
		else
			text_put(&place, &item, out);
		if (out->n > LIST_MAX)
			rc = err_set(err, ERR_LIMIT, "menu list: longer than the limit of %u bytes",
			             LIST_MAX);
		if (rc == 0)
			rc = warden_next(w, &type, &body, w->o->time, err);
	}
	buf_fini(&body);
	return rc;
}

int list_print(struct warden *w, struct err *err)
{
	struct buf out = BUF_INIT;
	int rc = items_get(w, &out, err);

	if (rc == 0 && w->o->json)
		buf_puts(&out, out.n ? "\n]\n" : "[]\n");
	if (rc == 0)
		rc = io_write(STDOUT_FILENO, "standard output", buf_str(&out).p, out.n, err);
	buf_fini(&out);
	return rc;
}
