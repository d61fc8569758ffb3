/* SPDX-License-Identifier: MIT */
/*
 * Messages from a malicious editor to its parent: a state, then heads and bodies. What reaches the
 * terminal has no control characters, and a change that is accepted is the same when it is sent
 * again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "editor/editor_wire.h"
#include "nix/store_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

/* A line of text, whose newlines and tabs are allowed outside the config. */
static void must_be_clean(const char *s, bool line)
{
	for (; *s; s++)
		must(((unsigned char)*s >= ' ' && *s != 0x7f) ||
		     (!line && (*s == '\n' || *s == '\t')));
}

static void change(const struct buf *body)
{
	_cleanup_(buf_fini) struct buf strings = BUF_INIT, out = BUF_INIT;
	struct direct_change c;
	struct err err = ERR_INIT;
	struct store_path sp;

	if (editor_change_get(body, &c, &strings, &err) < 0)
		return;
	must(store_path_is(str_from(c.toplevel), &sp));
	must(store_path_is(str_from(c.old_toplevel), &sp));
	must_be_clean(c.init, true);
	must_be_clean(c.params, true);
	must_be_clean(c.old_init, true);
	must_be_clean(c.old_params, true);
	editor_change_put(&out, &c);
	must(str_eq(buf_str(&out), buf_str(body)));
}

static void text(const struct buf *body)
{
	_cleanup_(buf_fini) struct buf clean = BUF_INIT;

	wire_text_clean(&clean, buf_str(body));
	buf_u8(&clean, 0);
	must(clean.n <= body->n + 1);
	must_be_clean(clean.p, false);
}

static void failure(const struct buf *body)
{
	struct err err = ERR_INIT;

	must(wire_err_get(buf_str(body), &err) == -(int)err.code && err.code);
	must_be_clean(err.text, false);
}

static void take_body(uint32_t type, const struct buf *body)
{
	if (type == EDITOR_PUBLISH)
		change(body);
	else if (type == EDITOR_FAILED)
		failure(body);
	else
		text(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire w = {.rules = editor_rules, .rule_count = editor_rule_count, .peer = "editor"};
	struct bytes b = bytes_over(data, size);
	struct err err = ERR_INIT;
	uint32_t type, n;

	w.state = bytes_u8(&b) % 2;
	while (bytes_left(&b) >= WIRE_HEAD) {
		_cleanup_(buf_fini) struct buf body = BUF_INIT;

		if (wire_head_get(&w, bytes_take(&b, WIRE_HEAD), &type, &n, &err) < 0)
			break;
		n = (uint32_t)MIN(n, bytes_left(&b));
		buf_put(&body, bytes_take(&b, n), n);
		take_body(type, &body);
	}
	return 0;
}
