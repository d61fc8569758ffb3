/* SPDX-License-Identifier: MIT */
/* The parent's side of boot counting: a child of its own for the one disk that changes. */
#include <time.h>

#include "base/io.h"
#include "base/mem.h"
#include "say.h"
#include "warden.h"

#define LOCK_WAIT_MS 5000

static int rename_start(struct warden *w, struct renamer_spec *s, int fd, struct jail *jail,
                        struct err *err)
{
	struct jail_spec spec = {.role = JAIL_RENAMER,
	                         .uid = w->o->uid,
	                         .memory = w->o->memory,
	                         .file_size = s->disk->size,
	                         .cpu = (unsigned)w->o->cpu,
	                         .main = renamer_main,
	                         .arg = s};

	s->fd = jail_give(&spec, JAIL_DISK, fd);
	return jail_start(&spec, jail, err);
}

/* 0; 1: it is not changed, *err says why; or -ERR_*: the disk or the child failed. */
static int child_ask(struct warden *w, struct jail *jail, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct wire wire = {.fd = jail->fd,
	                    .rules = message_answers,
	                    .rule_count = message_answer_count,
	                    .state = REQ_COUNT,
	                    .peer = "renamer"};
	uint32_t type = 0;
	int rc = wire_send(&wire, REQ_COUNT, STR(""), err);

	if (rc == 0)
		rc = child_next(jail, &wire, &type, &body, w->o->time, err);
	return rc < 0 && rc != -ERR_IO && type == MSG_FAIL ? 1 : rc;
}

static int rename_it(struct warden *w, const struct msg_count *c, struct err *err)
{
	_cleanup_(jail_fini) struct jail jail = JAIL_INIT;
	_close_ int fd = -1;
	struct renamer_spec s = {.disk = &w->disk[c->disk], .count = c, .now = time(NULL)};
	int rc = disk_open_again(w, c->disk, &fd, err);

	if (rc == 0)
		rc = rename_start(w, &s, fd, &jail, err);
	return rc < 0 ? rc : child_ask(w, &jail, err);
}

/* Nobody else may read or change the disk meanwhile. */
static int rename_alone(struct warden *w, const struct msg_count *c, struct err *err)
{
	const char *name = w->disk[c->disk].name;
	int fd = w->disk_fd[c->disk], rc;
	struct err lost = ERR_INIT;

	if (io_lock(fd, name, true, LOCK_WAIT_MS, err) < 0)
		return 1;
	rc = rename_it(w, c, err);
	if (rc < 0 || io_lock(fd, name, false, LOCK_WAIT_MS, &lost) == 0)
		return rc;
	*err = lost;
	return -(int)lost.code;
}

int warden_count(struct warden *w, const struct msg_count *c, struct err *err)
{
	static const char unchanged[] = "its boot counter is not changed";
	_cleanup_(buf_fini) struct buf line = BUF_INIT;
	struct err why = ERR_INIT;
	int rc;

	if (!*c->path)
		return 0;
	if (!w->o->write_env) {
		buf_putf(&line, "%s: %s without --write-env", c->path, unchanged);
		say_warning(buf_str(&line));
		return 0;
	}
	rc = rename_alone(w, c, &why);
	if (rc < 0) {
		*err = why;
		return err_prefix(err, "%s: its boot counter", c->path);
	}
	if (rc == 0) {
		say_debug("%s: boot counter changed", c->path);
		return 0;
	}
	buf_putf(&line, "%s: %s: %s", c->path, unchanged, why.text);
	say_warning(buf_str(&line));
	return 0;
}
