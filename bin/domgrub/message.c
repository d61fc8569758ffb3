/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grub/blscount.h"

#define SMALL 65536u
#define STYLES 2 /* the last of enum grub_style */
#define TIMEOUT_MAX (24 * 3600 * 1000)

#define NOTES_AND_FAIL(state)                                                                      \
	{state, MSG_NOTE, SMALL, state},                                                           \
	{                                                                                          \
		state, MSG_FAIL, SMALL, STATE_IDLE                                                 \
	}

const struct wire_rule message_answers[] = {
        NOTES_AND_FAIL(REQ_MENU),
        {REQ_MENU, MSG_MENU, MSG_MENU_MAX, STATE_IDLE},
        NOTES_AND_FAIL(REQ_ENTER),
        {REQ_ENTER, MSG_MENU, MSG_MENU_MAX, STATE_IDLE},
        {REQ_ENTER, MSG_PLAN, MSG_TEXT_MAX, STATE_IDLE},
        NOTES_AND_FAIL(REQ_AUTO),
        {REQ_AUTO, MSG_WRITES, SMALL, STATE_WRITES},
        {REQ_AUTO, MSG_PLAN, MSG_TEXT_MAX, STATE_IDLE},
        NOTES_AND_FAIL(STATE_WRITES),
        {STATE_WRITES, MSG_PLAN, MSG_TEXT_MAX, STATE_IDLE},
        NOTES_AND_FAIL(REQ_FILES),
        {REQ_FILES, MSG_PLAN, MSG_TEXT_MAX, STATE_IDLE},
        NOTES_AND_FAIL(REQ_BODY),
        {REQ_BODY, MSG_TEXT, MSG_TEXT_MAX, STATE_IDLE},
        NOTES_AND_FAIL(REQ_SHELL),
        {REQ_SHELL, MSG_TEXT, MSG_TEXT_MAX, STATE_IDLE},
        {REQ_SHELL, MSG_MENU, MSG_MENU_MAX, STATE_IDLE},
        {REQ_SHELL, MSG_PLAN, MSG_TEXT_MAX, STATE_IDLE},
        NOTES_AND_FAIL(REQ_LIST),
        {REQ_LIST, MSG_ITEM, MSG_TEXT_MAX, REQ_LIST},
        {REQ_LIST, MSG_DONE, 0, STATE_IDLE},
        NOTES_AND_FAIL(REQ_COPY),
        {REQ_COPY, MSG_SIZE, 8, REQ_COPY},
        {REQ_COPY, MSG_DONE, 0, STATE_IDLE},
        NOTES_AND_FAIL(REQ_CHECK),
        {REQ_CHECK, MSG_SUM, KNOWN_SUM, STATE_SUMMED},
        {STATE_SUMMED, MSG_DONE, 0, STATE_IDLE},
        {REQ_CHECK, MSG_DONE, 0, STATE_IDLE},
        NOTES_AND_FAIL(REQ_COUNT),
        {REQ_COUNT, MSG_DONE, 0, STATE_IDLE},
};
const size_t message_answer_count = ARRAY_LEN(message_answers);

#define IN_BOTH(type, size)                                                                        \
	{STATE_IDLE, type, size, STATE_IDLE},                                                      \
	{                                                                                          \
		STATE_PLANNED, type, size, STATE_IDLE                                              \
	}

const struct wire_rule message_requests[] = {
        IN_BOTH(REQ_MENU, SMALL),
        IN_BOTH(REQ_ENTER, MSG_TEXT_MAX),
        IN_BOTH(REQ_AUTO, SMALL),
        IN_BOTH(REQ_FILES, SMALL),
        IN_BOTH(REQ_BODY, SMALL),
        IN_BOTH(REQ_SHELL, SMALL),
        IN_BOTH(REQ_LIST, SMALL),
        {STATE_PLANNED, REQ_COPY, SMALL, STATE_IDLE},
        {STATE_IDLE, REQ_CHECK, SMALL, STATE_IDLE},
        {STATE_IDLE, REQ_COUNT, 0, STATE_IDLE},
};
const size_t message_request_count = ARRAY_LEN(message_requests);

static struct bytes over(struct str body)
{
	return bytes_over(body.p, body.n);
}

static int finish(const struct bytes *b, const char *what, struct err *err)
{
	if (wire_end(b))
		return 0;
	return err_set(err, ERR_FORMAT, "child: malformed message (%s)", what);
}

static bool bool_get(struct bytes *b)
{
	return wire_u32_get(b, 1) == 1;
}

void req_put(struct buf *out, const struct req *r)
{
	wire_u32_put(out, r->depth);
	wire_u32_put(out, r->entry);
	wire_u32_put(out, r->has_text);
	wire_text_put(out, r->text);
	wire_text_put(out, r->more);
}

int req_get(struct str body, struct req *out, struct err *err)
{
	struct bytes b = over(body);
	struct req r;

	r.depth = wire_u32_get(&b, MSG_DEPTH_MAX);
	r.entry = wire_u32_get(&b, MSG_ENTRIES_MAX);
	r.has_text = bool_get(&b);
	r.text = wire_text_get(&b, MSG_TEXT_MAX);
	r.more = wire_text_get(&b, MSG_TEXT_MAX);
	*out = r;
	return finish(&b, "request", err);
}

void msg_menu_put(struct buf *out, const struct msg_menu *m)
{
	wire_u32_put(out, m->depth);
	wire_text_put(out, m->title);
	wire_u32_put(out, m->timeout_ms < 0);
	wire_u32_put(out, m->timeout_ms < 0 ? 0 : (uint32_t)MIN(m->timeout_ms, TIMEOUT_MAX));
	wire_u32_put(out, m->style);
	wire_u32_put(out, m->default_);
	wire_text_put(out, m->output);
	wire_u32_put(out, m->n);
	for (uint32_t i = 0; i < m->n; i++) {
		wire_text_put(out, m->entry[i].title);
		wire_u32_put(out, m->entry[i].submenu);
	}
}

int msg_menu_get(struct str body, struct msg_menu *out, struct err *err)
{
	struct bytes b = over(body);
	struct msg_menu m = {0};
	bool for_ever;
	int rc;

	m.depth = wire_u32_get(&b, MSG_DEPTH_MAX);
	m.title = wire_text_get(&b, MSG_TEXT_MAX);
	for_ever = bool_get(&b);
	m.timeout_ms = wire_u32_get(&b, TIMEOUT_MAX);
	if (for_ever)
		m.timeout_ms = -1;
	m.style = wire_u32_get(&b, STYLES);
	m.default_ = wire_u32_get(&b, MSG_ENTRIES_MAX);
	m.output = wire_text_get(&b, MSG_TEXT_MAX);
	m.n = wire_u32_get(&b, MSG_ENTRIES_MAX);
	/* An entry has at least eight bytes, so this limits the memory. */
	if (m.n > bytes_left(&b) / 8)
		b.bad = true;
	else
		m.entry = xcalloc(m.n, sizeof *m.entry);
	for (uint32_t i = 0; bytes_ok(&b) && i < m.n; i++) {
		m.entry[i].title = wire_text_get(&b, MSG_TEXT_MAX);
		m.entry[i].submenu = bool_get(&b);
	}
	if (m.n && m.default_ >= m.n)
		b.bad = true;
	rc = finish(&b, "menu", err);
	if (rc < 0) {
		msg_menu_fini(&m);
		return rc;
	}
	*out = m;
	return 0;
}

void msg_menu_fini(struct msg_menu *m)
{
	free(m->entry);
	*m = (struct msg_menu){0};
}

void msg_writes_put(struct buf *out, const struct msg_writes *w)
{
	wire_u32_put(out, w->n);
	for (uint32_t i = 0; i < w->n; i++) {
		wire_u32_put(out, w->v[i].disk);
		wire_u64_put(out, w->v[i].at);
		buf_put(out, w->v[i].data, ENV_BLOCK_SIZE);
	}
	wire_u32_put(out, w->count.disk);
	wire_u64_put(out, w->count.start);
	wire_u64_put(out, w->count.size);
	wire_text_put(out, str_from(w->count.path));
}

void msg_plan_put(struct buf *out, const struct msg_plan *p)
{
	wire_text_put(out, p->kernel);
	wire_text_put(out, p->args);
	wire_text_put(out, p->output);
	wire_u64_put(out, p->kernel_size);
	wire_u64_put(out, p->ramdisk_size);
	wire_u64_put(out, p->stored);
	wire_u32_put(out, p->initrds);
	for (uint32_t i = 0; i < p->initrds; i++)
		wire_text_put(out, p->initrd[i]);
	msg_writes_put(out, &p->writes);
}

static void write_get(struct bytes *b, struct msg_write *w)
{
	const uint8_t *p;

	w->disk = bytes_le32(b);
	w->at = wire_u64_get(b, INT64_MAX);
	p = bytes_take(b, ENV_BLOCK_SIZE);
	if (p)
		memcpy(w->data, p, ENV_BLOCK_SIZE);
}

static void count_get(struct bytes *b, struct msg_count *c)
{
	struct str path, dir, name;

	c->disk = bytes_le32(b);
	c->start = wire_u64_get(b, INT64_MAX);
	c->size = wire_u64_get(b, INT64_MAX);
	path = wire_text_get(b, MSG_PATH_MAX);
	c->path[0] = '\0';
	if (!bytes_ok(b) || !path.n)
		return;
	if (!blscount_path(path, &dir, &name)) {
		b->bad = true;
		return;
	}
	memcpy(c->path, path.p, path.n);
	c->path[path.n] = '\0';
}

static void writes_get(struct bytes *b, struct msg_writes *w)
{
	w->n = wire_u32_get(b, MSG_WRITES_MAX);
	for (uint32_t i = 0; i < w->n; i++)
		write_get(b, &w->v[i]);
	count_get(b, &w->count);
}

int msg_writes_get(struct str body, struct msg_writes *out, struct err *err)
{
	struct bytes b = over(body);

	writes_get(&b, out);
	return finish(&b, "writes", err);
}

int msg_plan_get(struct str body, struct msg_plan *out, struct err *err)
{
	struct bytes b = over(body);
	struct msg_plan *p = out;

	p->kernel = wire_text_get(&b, MSG_TEXT_MAX);
	p->args = wire_text_get(&b, MSG_TEXT_MAX);
	p->output = wire_text_get(&b, MSG_TEXT_MAX);
	p->kernel_size = wire_u64_get(&b, INT64_MAX);
	p->ramdisk_size = wire_u64_get(&b, INT64_MAX);
	p->stored = wire_u64_get(&b, INT64_MAX);
	p->initrds = wire_u32_get(&b, MSG_INITRDS_MAX);
	for (uint32_t i = 0; i < p->initrds; i++)
		p->initrd[i] = wire_text_get(&b, MSG_TEXT_MAX);
	writes_get(&b, &p->writes);
	return finish(&b, "plan", err);
}

void msg_item_put(struct buf *out, const struct msg_item *i)
{
	wire_u32_put(out, i->depth);
	wire_u32_put(out, i->submenu);
	wire_u32_put(out, i->default_);
	wire_text_put(out, i->title);
	wire_text_put(out, i->id);
	wire_text_put(out, i->root);
	wire_text_put(out, i->kernel);
	wire_text_put(out, i->args);
	wire_text_put(out, i->trouble);
	wire_u32_put(out, i->has_initrd);
	wire_text_put(out, i->initrd);
}

int msg_item_get(struct str body, struct msg_item *out, struct err *err)
{
	struct bytes b = over(body);
	struct msg_item i;

	i.depth = wire_u32_get(&b, MSG_DEPTH_MAX);
	i.submenu = bool_get(&b);
	i.default_ = bool_get(&b);
	i.title = wire_text_get(&b, MSG_TEXT_MAX);
	i.id = wire_text_get(&b, MSG_TEXT_MAX);
	i.root = wire_text_get(&b, MSG_TEXT_MAX);
	i.kernel = wire_text_get(&b, MSG_TEXT_MAX);
	i.args = wire_text_get(&b, MSG_TEXT_MAX);
	i.trouble = wire_text_get(&b, MSG_TEXT_MAX);
	i.has_initrd = bool_get(&b);
	i.initrd = wire_text_get(&b, MSG_TEXT_MAX);
	*out = i;
	return finish(&b, "item", err);
}

void msg_fail_put(struct buf *out, const struct err *e)
{
	wire_u32_put(out, e->code);
	wire_text_put(out, str_from(e->text));
}

int msg_fail_get(struct str body, struct err *err)
{
	struct bytes b = over(body);
	uint32_t code = wire_u32_get(&b, ERR_CHILD);
	struct str text = wire_text_get(&b, ERR_TEXT_MAX);
	int rc = finish(&b, "failure", err);

	if (rc < 0)
		return rc;
	if (code == ERR_NONE)
		return err_set(err, ERR_FORMAT, "child: failure message without an error code");
	return err_set(err, (enum err_code)code, "%.*s", STR_ARG(text));
}

void msg_text_put(struct buf *out, struct str s)
{
	wire_text_put(out, s);
}

int msg_text_get(struct str body, struct str *out, struct err *err)
{
	struct bytes b = over(body);

	*out = wire_text_get(&b, MSG_TEXT_MAX);
	return finish(&b, "text", err);
}

void msg_size_put(struct buf *out, uint64_t n)
{
	wire_u64_put(out, n);
}

int msg_size_get(struct str body, uint64_t *out, struct err *err)
{
	struct bytes b = over(body);

	*out = wire_u64_get(&b, INT64_MAX);
	return finish(&b, "size", err);
}

int msg_sum_get(struct str body, uint8_t out[static KNOWN_SUM], struct err *err)
{
	if (body.n != KNOWN_SUM)
		return err_set(err, ERR_FORMAT, "child: checksum of %zu bytes, expected %d", body.n,
		               KNOWN_SUM);
	memcpy(out, body.p, KNOWN_SUM);
	return 0;
}
