/* SPDX-License-Identifier: MIT */
/*
 * Messages from a malicious child to the parent: a state, then heads and bodies.
 * A message that _get accepts, encoded with _put, is decoded to the same values.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void menu(struct str body)
{
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	struct msg_menu m, again;

	if (msg_menu_get(body, &m, &err) < 0)
		return;
	msg_menu_put(&out, &m);
	must(msg_menu_get(buf_str(&out), &again, &err) == 0);
	must(again.n == m.n && again.timeout_ms == m.timeout_ms && str_eq(again.title, m.title));
	for (uint32_t i = 0; i < m.n; i++)
		must(str_eq(m.entry[i].title, again.entry[i].title));
	msg_menu_fini(&m);
	msg_menu_fini(&again);
	buf_fini(&out);
}

static void plan(struct str body)
{
	_free_ struct msg_plan *p = xcalloc(1, sizeof *p);
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	if (msg_plan_get(body, p, &err) == 0) {
		msg_plan_put(&out, p);
		must(str_eq(buf_str(&out), body));
	}
	buf_fini(&out);
}

static void writes(struct str body)
{
	_free_ struct msg_writes *w = xcalloc(1, sizeof *w);
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	if (msg_writes_get(body, w, &err) == 0) {
		msg_writes_put(&out, w);
		must(str_eq(buf_str(&out), body));
	}
	buf_fini(&out);
}

static void item(struct str body)
{
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	struct msg_item i;

	if (msg_item_get(body, &i, &err) == 0) {
		msg_item_put(&out, &i);
		must(str_eq(buf_str(&out), body));
	}
	buf_fini(&out);
}

static void request(struct str body)
{
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	struct req r;

	if (req_get(body, &r, &err) == 0) {
		req_put(&out, &r);
		must(str_eq(buf_str(&out), body));
	}
	buf_fini(&out);
}

static void others(uint32_t type, struct str body)
{
	struct err err = ERR_INIT;
	struct str text;
	uint64_t size;

	if (type == MSG_FAIL)
		must(msg_fail_get(body, &err) < 0);
	if (type == MSG_SIZE)
		(void)msg_size_get(body, &size, &err);
	if (type == MSG_NOTE || type == MSG_TEXT)
		(void)msg_text_get(body, &text, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire w = {
	        .rules = message_answers, .rule_count = message_answer_count, .peer = "child"};
	struct bytes b = bytes_over(data, size);
	struct err err = ERR_INIT;
	uint32_t type, n;

	w.state = bytes_u8(&b);
	while (bytes_left(&b) >= WIRE_HEAD) {
		struct str body;

		if (wire_head_get(&w, bytes_take(&b, WIRE_HEAD), &type, &n, &err) < 0)
			break;
		n = (uint32_t)MIN(n, bytes_left(&b));
		body = (struct str){(const char *)bytes_take(&b, n), n};
		if (type == MSG_MENU)
			menu(body);
		else if (type == MSG_PLAN)
			plan(body);
		else if (type == MSG_WRITES)
			writes(body);
		else if (type == MSG_ITEM)
			item(body);
		else
			others(type, body);
		request(body);
		if (w.state == STATE_IDLE)
			w.state = bytes_u8(&b);
	}
	return 0;
}
