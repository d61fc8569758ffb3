/* SPDX-License-Identifier: MIT */
#include "inmate.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grub/device.h"
#include "grub/menu.h"
#include "inmate_state.h"
#include "message.h"
#include "nodisk.h"

static int answer(struct inmate *in, uint32_t type, struct buf *body, struct err *err)
{
	int rc = wire_put(&in->wire, type, buf_str(body), err);

	buf_reset(body);
	return rc;
}

void inmate_note(struct inmate *in, struct str text)
{
	struct buf body = BUF_INIT;
	struct err err = ERR_INIT;

	if (text.n > NOTE_MAX)
		text.n = NOTE_MAX;
	msg_text_put(&body, text);
	(void)answer(in, MSG_NOTE, &body, &err);
	buf_fini(&body);
}

/* Report problems with the disks, once. */
static void disk_notes(struct inmate *in, struct buf *lines)
{
	struct str rest = buf_str(lines);

	while (rest.p) {
		struct str line = str_cut(&rest, '\n');

		if (line.n)
			inmate_note(in, line);
	}
	buf_reset(lines);
}

static void notes(struct inmate *in, const struct grub_texts *t)
{
	struct buf lines = BUF_INIT;

	if (in->disks)
		disks_notices(in->disks, &lines);
	disk_notes(in, &lines);
	buf_fini(&lines);
	for (size_t i = 0; i < t->n; i++)
		inmate_note(in, str_from(t->v[i]));
}

static struct str clipped(struct str s)
{
	/* Half of a message's limit, because a message has more than one text. */
	s.n = MIN(s.n, MSG_TEXT_MAX / 4);
	return s;
}

static int menu_answer(struct inmate *in, struct err *err)
{
	const struct grub_menu *m = in->menu[in->depth];
	struct msg_menu msg = {.depth = in->depth,
	                       .title = clipped(str_from(m->title)),
	                       .timeout_ms = m->timeout,
	                       .style = m->style,
	                       .default_ = (uint32_t)(m->n ? grub_menu_default(m) : 0),
	                       .output = clipped(buf_str(&m->output)),
	                       .n = (uint32_t)MIN(m->n, MSG_ENTRIES_MAX)};
	struct buf body = BUF_INIT;
	int rc;

	notes(in, &m->warnings);
	msg.entry = xcalloc(msg.n, sizeof *msg.entry);
	for (uint32_t i = 0; i < msg.n; i++)
		msg.entry[i] = (struct msg_entry){clipped(str_from(m->entries[i].title)),
		                                  m->entries[i].submenu};
	msg_menu_put(&body, &msg);
	free(msg.entry);
	rc = answer(in, MSG_MENU, &body, err);
	buf_fini(&body);
	return rc;
}

/* Drop menus deeper than depth. */
static void menus_cut(struct inmate *in, uint32_t depth)
{
	while (in->menus > depth)
		grub_menu_free(in->menu[--in->menus]);
}

static int menu_push(struct inmate *in, struct grub_menu *next, struct err *err)
{
	if (in->menus == MSG_DEPTH_MAX) {
		grub_menu_free(next);
		return err_set(err, ERR_LIMIT, "menus nested deeper than %d", MSG_DEPTH_MAX);
	}
	in->depth = in->menus;
	in->menu[in->menus++] = next;
	return menu_answer(in, err);
}

static int menu_probe(struct inmate *in, struct err *err)
{
	int rc = grub_menu_probe(in->files, in->spec->limits, &in->menu[0], err);

	in->menus = rc == 0;
	return rc;
}

static int menu_open(struct inmate *in, struct err *err)
{
	const struct inmate_spec *s = in->spec;
	struct buf text = BUF_INIT;
	struct source_fd src;
	struct window w;
	int rc;

	if (in->menus)
		return 0;
	if (!s->is_config)
		return menu_probe(in, err);
	source_fd_init(&src, s->disk->fd, s->disk->name);
	w = window_over(&src.src, s->disk->size, s->disk->name);
	if (w.size > s->limits->config)
		return err_set(err, ERR_LIMIT, "%s: larger than the limit of %zu bytes", w.name,
		               s->limits->config);
	rc = window_read(&w, buf_zeros(&text, (size_t)w.size), (size_t)w.size, 0, err);
	if (rc == 0)
		rc = grub_menu_parse(in->files, s->limits, grub_menu_guess(buf_str(&text)),
		                     buf_str(&text), &in->menu[0], err);
	buf_fini(&text);
	in->menus = rc == 0;
	return rc;
}

static int plan_answer(struct inmate *in, struct err *err)
{
	struct buf body = BUF_INIT;
	int rc;

	notes(in, &in->plan.warnings);
	rc = plan_put(in, &body, err);
	if (rc == 0)
		rc = answer(in, MSG_PLAN, &body, err);
	buf_fini(&body);
	if (rc == 0)
		in->wire.state = STATE_PLANNED;
	return rc;
}

static void plan_reset(struct inmate *in)
{
	fs_file_free(take(&in->counted));
	grub_boot_fini(&in->plan);
	in->plan = (struct grub_boot)GRUB_BOOT_INIT;
}

static int menu_at(struct inmate *in, const struct req *r, struct err *err)
{
	if (r->depth >= in->menus || r->entry >= in->menu[r->depth]->n)
		return err_set(err, ERR_NOENT, "no entry %u in menu %u", r->entry, r->depth);
	in->depth = r->depth;
	return 0;
}

static int do_menu(struct inmate *in, const struct req *r, struct err *err)
{
	menus_cut(in, 1);
	in->depth = 0;
	return menu_answer(in, err);
}

static int do_enter(struct inmate *in, const struct req *r, struct err *err)
{
	struct grub_menu *next = NULL;
	int rc = menu_at(in, r, err);

	if (rc < 0)
		return rc;
	menus_cut(in, r->depth + 1);
	rc = grub_menu_enter(in->menu[r->depth], r->entry,
	                     r->has_text ? r->text : (struct str){NULL, 0}, &in->plan, &next, err);
	if (rc < 0)
		return rc;
	return rc == 1 ? menu_push(in, next, err) : plan_answer(in, err);
}

/* What is written before anything can fail. The plan has it again, and its notes. 1: there is. */
static int writes_answer(struct inmate *in, struct err *err)
{
	_free_ struct msg_writes *w = xcalloc(1, sizeof *w);
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	int rc;

	writes_find_all(in, &in->menu[0]->writes, false, w);
	count_find(in, false, &w->count);
	if (!msg_writes_any(w))
		return 0;
	msg_writes_put(&body, w);
	rc = answer(in, MSG_WRITES, &body, err);
	return rc < 0 ? rc : 1;
}

static int do_auto(struct inmate *in, const struct req *r, struct err *err)
{
	struct err lost = ERR_INIT;
	int rc, sent = writes_answer(in, err);

	if (sent < 0)
		return sent;
	rc = grub_menu_auto(in->menu[0], r->has_text ? r->text : (struct str){NULL, 0}, &in->plan,
	                    err);
	/* An entry with a boot counter is in a menu that writes nothing. */
	if (sent == 0 && writes_answer(in, &lost) < 0) {
		*err = lost;
		return -(int)lost.code;
	}
	notes(in, &in->menu[0]->warnings);
	return rc < 0 ? rc : plan_answer(in, err);
}

/* "(hd0,1)/path", or "/path" on the first device that has it. */
static int file_find(struct inmate *in, struct str name, struct grub_boot_file *out,
                     struct err *err)
{
	struct grub_stat st;
	struct str path = name;
	size_t from = 0, to = in->files->device_count;
	bool named = str_starts(name, "(");
	int rc = 0;

	if (named) {
		struct str rest = str_drop(name, 1), dev = str_cut(&rest, ')');

		rc = device_find(in->files, dev, 1, &from, err);
		to = from + 1;
		path = rest;
	}
	for (size_t i = from; rc == 0 && i < to; i++) {
		rc = in->files->ops->stat(in->files, i, path, &st, err);
		if (rc == 0 && st.kind == GRUB_FILE) {
			*out = (struct grub_boot_file){.dev = i, .path = xstrndup(path.p, path.n)};
			return 0;
		}
		rc = named ? rc : 0;
	}
	if (rc < 0)
		return err_prefix(err, "%.*s", STR_ARG(name));
	return err_set(err, ERR_NOENT, "%.*s: not found on any disk", STR_ARG(name));
}

static int do_files(struct inmate *in, const struct req *r, struct err *err)
{
	int rc = file_find(in, r->text, &in->plan.kernel, err);

	if (rc < 0)
		return rc;
	in->plan.args = xstrdup("");
	if (r->more.n) {
		in->plan.initrds = xcalloc(1, sizeof *in->plan.initrds);
		rc = file_find(in, r->more, &in->plan.initrds[0], err);
		in->plan.initrd_count = rc == 0;
	}
	return rc < 0 ? rc : plan_answer(in, err);
}

static int do_body(struct inmate *in, const struct req *r, struct err *err)
{
	struct buf body = BUF_INIT;
	int rc = menu_at(in, r, err);

	if (rc < 0)
		return rc;
	msg_text_put(&body, clipped(str_from(in->menu[r->depth]->entries[r->entry].body)));
	rc = answer(in, MSG_TEXT, &body, err);
	buf_fini(&body);
	return rc;
}

static int do_shell(struct inmate *in, const struct req *r, struct err *err)
{
	struct buf out = BUF_INIT, body = BUF_INIT;
	struct grub_menu *next = NULL;
	int rc;

	if (r->depth >= in->menus)
		return err_set(err, ERR_NOENT, "no menu %u", r->depth);
	if (!in->shell)
		in->shell = grub_shell_new(in->menu[r->depth]);
	rc = grub_shell_line(in->shell, r->text, &out, &in->plan, &next, err);
	if (rc == 0) {
		msg_text_put(&body, clipped(buf_str(&out)));
		rc = answer(in, MSG_TEXT, &body, err);
	} else if (rc == 1) {
		rc = plan_answer(in, err);
	} else if (rc == 2) {
		menus_cut(in, r->depth + 1);
		rc = menu_push(in, next, err);
	}
	buf_fini(&out);
	buf_fini(&body);
	return rc;
}

static int do_list(struct inmate *in, const struct req *r, struct err *err)
{
	struct buf none = BUF_INIT;
	int rc;

	menus_cut(in, 1);
	notes(in, &in->menu[0]->warnings);
	rc = list_put(in, in->menu[0], err);
	return rc < 0 ? rc : answer(in, MSG_DONE, &none, err);
}

static int do_copy(struct inmate *in, const struct req *r, struct err *err)
{
	struct buf none = BUF_INIT;
	int rc = plan_copy(in, err);

	return rc < 0 ? rc : answer(in, MSG_DONE, &none, err);
}

static const struct {
	uint32_t type;
	bool needs_menu;
	bool keeps_plan;
	int (*fn)(struct inmate *in, const struct req *r, struct err *err);
} requests[] = {
        {REQ_MENU, true, false, do_menu}, {REQ_ENTER, true, false, do_enter},
        {REQ_AUTO, true, false, do_auto}, {REQ_FILES, false, false, do_files},
        {REQ_BODY, true, false, do_body}, {REQ_SHELL, true, false, do_shell},
        {REQ_LIST, true, false, do_list}, {REQ_COPY, false, true, do_copy},
};

static int dispatch(struct inmate *in, uint32_t type, struct str body, struct err *err)
{
	struct req r;
	int rc = req_get(body, &r, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		if (requests[i].type != type)
			continue;
		if (!requests[i].keeps_plan)
			plan_reset(in);
		rc = requests[i].needs_menu ? menu_open(in, err) : 0;
		return rc < 0 ? rc : requests[i].fn(in, &r, err);
	}
	return err_set(err, ERR_FORMAT, "request %u", type);
}

/* Exit when the line is closed, or when an answer cannot be sent. */
static int serve(struct inmate *in, struct buf *disk_lines)
{
	struct buf body = BUF_INIT;
	struct err err = ERR_INIT;
	uint32_t type;
	int rc;

	while ((rc = wire_get(&in->wire, &type, &body, &err)) == 0) {
		disk_notes(in, disk_lines);
		rc = dispatch(in, type, buf_str(&body), &err);
		if (rc >= 0)
			continue;
		in->wire.state = STATE_IDLE;
		buf_reset(&body);
		msg_fail_put(&body, &err);
		if (answer(in, MSG_FAIL, &body, &err) < 0)
			break;
	}
	buf_fini(&body);
	return rc == 1 ? 0 : INMATE_BROKEN_LINE;
}

int inmate_main(void *arg)
{
	struct inmate in = {.spec = arg,
	                    .wire = {.fd = JAIL_PARENT,
	                             .rules = message_requests,
	                             .rule_count = message_request_count,
	                             .state = STATE_IDLE,
	                             .peer = "parent"},
	                    .plan = GRUB_BOOT_INIT};
	struct buf lines = BUF_INIT;

	in.disks = disks_new(in.spec->disk, in.spec->is_config ? 0 : in.spec->disks, &lines);
	in.files = in.spec->is_config ? &nodisk_files : disks_files(in.disks);
	/* Nothing is freed: the process ends. */
	return serve(&in, &lines);
}
