/* SPDX-License-Identifier: MIT */
#include "editor/editor_child.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "editor/editor_wire.h"
#include "jail/jail.h"
#include "nixos/change.h"

enum { BROKEN_LINE = 3 };

/* A process has only one. */
static struct editor_child *child;
static struct wire line = {.fd = JAIL_PARENT, .peer = "parent"};

/* ---- the line ------------------------------------------------------------- */

const struct editor_child *editor_child_data(void)
{
	return child;
}

void editor_tell(uint32_t type, struct str body)
{
	struct err err = ERR_INIT;

	if (wire_put(&line, type, body, &err) < 0)
		_exit(BROKEN_LINE);
}

int editor_ask(uint32_t type, struct str body, struct buf *out, struct err *err)
{
	_cleanup_(buf_fini) struct buf got = BUF_INIT;
	uint32_t said = 0;

	editor_tell(type, body);
	for (;;) {
		if (wire_get(&line, &said, &got, err))
			_exit(BROKEN_LINE);
		if (said == EDITOR_FAILED)
			return wire_err_get(buf_str(&got), err);
		if (said == EDITOR_OK)
			return 0;
		if (out)
			buf_put(out, buf_str(&got).p, got.n);
	}
}

/* ---- what a person reads -------------------------------------------------- */

static void say(enum ui_kind kind, const char *text)
{
	static const uint32_t type[UI_KINDS] = {EDITOR_WARN, EDITOR_SAY, EDITOR_DETAIL};
	struct str s = str_from(text);

	s.n = MIN(s.n, (size_t)EDITOR_TEXT_MAX);
	editor_tell(type[kind], s);
}

static void warn(const char *text)
{
	say(UI_WARNING, text);
}

static void show_progress(bool on)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;

	wire_u32_put(&body, on);
	editor_tell(EDITOR_PROGRESS, buf_str(&body));
}

/* ---- the host's side ------------------------------------------------------ */

static int ask(uint32_t type, struct str body, struct err *err)
{
	return editor_ask(type, body, NULL, err);
}

static int host_copy(struct direct_host *h, enum direct_file which, int *fd, struct err *err)
{
	*fd = child->copy[which];
	if (*fd >= 0)
		return 0;
	*err = child->copy_err[which];
	return -(int)err->code;
}

static int host_publish(struct direct_host *h, const struct direct_change *c, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;

	editor_change_put(&body, c);
	return ask(EDITOR_PUBLISH, buf_str(&body), err);
}

static void host_take_back(struct direct_host *h)
{
	struct err err = ERR_INIT;

	(void)ask(EDITOR_TAKE_BACK, STR(""), &err);
}

static int host_switch(struct direct_host *h, struct err *err)
{
	return ask(EDITOR_SWITCH, STR(""), err);
}

static int host_tidy(struct direct_host *h, bool all, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;

	wire_u32_put(&body, all);
	return ask(EDITOR_TIDY, buf_str(&body), err);
}

static int write_env(struct off_guest *off, bool check, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;

	wire_u32_put(&body, check);
	return ask(EDITOR_WRITE_ENV, buf_str(&body), err);
}

/* ---- the guest ------------------------------------------------------------ */

/* The disks stay open; the edits of the guest before are dropped. */
static int open_again(const void *arg, enum off_guest_mode mode, struct off_guest *out,
                      struct err *err)
{
	const struct editor_child *c = arg;
	int rc;

	*out = c->off;
	out->mode = mode;
	out->warn = warn;
	out->write_env = write_env;
	out->host = c->off.host ? &child->host : NULL;
	rc = off_guest_find(out, err);
	if (rc < 0)
		off_guest_release(out);
	return rc;
}

/* 1: another editor must do it again. */
static int run(struct editor *e, struct err *err)
{
	const struct off_guest_opener opener = {open_again, off_guest_release, child};
	size_t n = 0;
	_free_ char *text = NULL;
	int rc = change_begin(&opener, child->off.mode, &e->off, &e->in, err);

	if (rc)
		return rc;
	e->out = open_memstream(&text, &n);
	if (!e->out)
		return err_set(err, ERR_LIMIT, "out of memory");
	rc = child->work(e, child->arg, err);
	if (fclose(e->out) != 0 && rc == 0)
		rc = err_set(err, ERR_LIMIT, "out of memory");
	return rc < 0 ? rc
	              : wire_put_pieces(&line, EDITOR_OUT, (struct str){text, n}, EDITOR_PIECE_MAX,
	                                err);
}

int editor_main(void *arg)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct editor e = {.out = NULL};
	struct err err = ERR_INIT, lost = ERR_INIT;
	int rc;

	child = arg;
	line.rules = editor_answer_rules;
	line.rule_count = editor_answer_rule_count;
	child->host.copy = host_copy;
	child->host.publish = host_publish;
	child->host.take_back = host_take_back;
	child->host.switch_over = host_switch;
	child->host.tidy = host_tidy;
	ui_divert(say, show_progress);
	rc = run(&e, &err);
	if (rc < 0)
		wire_err_put(&body, &err);
	rc = wire_put(&line,
	              rc < 0 ? EDITOR_FAILED
	              : rc   ? EDITOR_AGAIN
	                     : EDITOR_DONE,
	              buf_str(&body), &lost);
	return rc < 0 ? BROKEN_LINE : 0;
}
