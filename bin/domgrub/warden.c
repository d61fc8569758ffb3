/* SPDX-License-Identifier: MIT */
#include "warden.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "guest/host.h"
#include "say.h"
#include "xen/kernel.h"

#define LOCK_WAIT_MS 5000

volatile bool warden_stop;

static int disk_open(struct warden *w, const char *path, struct err *err)
{
	struct disk_spec *d = &w->disk[w->disks];
	int rc = disk_spec_open(path, d, err);

	if (rc < 0)
		return rc;
	say_debug("(hd%zu) is %s, %llu bytes in sectors of %u", w->disks, path,
	          (unsigned long long)d->size, d->sector);
	w->disk_fd[w->disks++] = d->fd;
	return disk_spec_lock(d, LOCK_WAIT_MS, err);
}

static int disks_open_all(struct warden *w, struct err *err)
{
	const struct options *o = w->o;
	int rc = disk_open(w, o->image, err);

	for (size_t i = 0; rc == 0 && i < o->disks; i++)
		rc = disk_open(w, o->disk[i], err);
	if (rc == 0 && o->has_offset && o->offset >= w->disk[0].size)
		rc = err_set(err, ERR_USAGE,
		             "offset: %" PRIu64 " is not below the size of %s, %" PRIu64 " bytes",
		             o->offset, o->image, w->disk[0].size);
	w->disk[0].has_offset = o->has_offset;
	w->disk[0].offset = o->offset;
	return rc;
}

static bool copies(const struct options *o)
{
	return !o->list && !o->not_really && !o->is_config;
}

static int jail_enter(struct warden *w, struct err *err)
{
	const struct options *o = w->o;
	struct jail_spec spec = {.role = JAIL_READER,
	                         .uid = o->uid,
	                         .memory = o->memory,
	                         .file_size = MAX(o->kernel_max, o->ramdisk_max),
	                         .cpu = (unsigned)o->cpu,
	                         .main = inmate_main,
	                         .arg = &w->spec};

	w->spec = (struct inmate_spec){.disk = w->disk,
	                               .disks = w->disks,
	                               .is_config = o->is_config,
	                               .kernel_fd = -1,
	                               .ramdisk_fd = -1,
	                               .kernel_max = o->kernel_max,
	                               .ramdisk_max = o->ramdisk_max,
	                               .limits = &o->limits};
	if (copies(o)) {
		w->spec.kernel_fd = jail_give(&spec, JAIL_OUTPUT, w->kernel.fd);
		w->spec.ramdisk_fd = jail_give(&spec, JAIL_OUTPUT, w->ramdisk.fd);
	}
	for (size_t i = 0; i < w->disks; i++)
		w->disk[i].fd = jail_give(&spec, JAIL_INPUT, w->disk_fd[i]);
	return jail_start(&spec, &w->jail, err);
}

int warden_start(struct warden *w, const struct options *o, struct err *err)
{
	int rc;

	w->o = o;
	if (geteuid() != 0 && o->uid_asked && o->uid != geteuid())
		return err_set(err, ERR_USAGE, "only root can run as user %u", (unsigned)o->uid);
	rc = disks_open_all(w, err);
	if (rc == 0 && copies(o))
		rc = output_make(o, "boot_kernel", &w->kernel, err);
	if (rc == 0 && copies(o))
		rc = output_make(o, "boot_ramdisk", &w->ramdisk, err);
	if (rc == 0)
		rc = jail_enter(w, err);
	if (rc < 0)
		return rc;
	w->wire = (struct wire){.fd = w->jail.fd,
	                        .rules = message_answers,
	                        .rule_count = message_answer_count,
	                        .state = STATE_IDLE,
	                        .peer = "child"};
	return 0;
}

void warden_fini(struct warden *w)
{
	/* Do not wait for a child that has nothing more to write. */
	jail_end(&w->jail, w->kernel.path != NULL);
	output_remove(&w->kernel);
	output_remove(&w->ramdisk);
	while (w->disks)
		io_close(&w->disk_fd[--w->disks]);
}

/* The reason for a missing answer: the child's exit status tells more. */
static int gone(struct jail *j, const char *name, struct err *err)
{
	struct err how = ERR_INIT;

	io_close(&j->fd);
	if (jail_wait(j, name, &how) == 0)
		return err_set(err, ERR_CHILD, "%s: ended too early", name);
	*err = how;
	return -(int)err->code;
}

int child_next(struct jail *j, struct wire *w, uint32_t *type, struct buf *body, uint64_t seconds,
               struct err *err)
{
	int64_t ms = (int64_t)MIN(seconds, 1u << 20) * 1000;
	struct str text;
	int rc;

	for (;;) {
		rc = wire_recv(w, type, body, ms, &warden_stop, err);
		if (rc == 1)
			return gone(j, w->peer, err);
		if (rc < 0)
			return rc;
		if (*type == MSG_FAIL)
			return msg_fail_get(buf_str(body), err);
		if (*type != MSG_NOTE)
			return 0;
		rc = msg_text_get(buf_str(body), &text, err);
		if (rc < 0)
			return rc;
		say_warning(text);
	}
}

int warden_next(struct warden *w, uint32_t *type, struct buf *body, uint64_t seconds,
                struct err *err)
{
	return child_next(&w->jail, &w->wire, type, body, seconds, err);
}

static int request_send(struct warden *w, uint32_t request, const struct req *r, struct err *err)
{
	struct buf out = BUF_INIT;
	int rc;

	req_put(&out, r);
	w->wire.state = request;
	rc = wire_send(&w->wire, request, buf_str(&out), err);
	buf_fini(&out);
	return rc < 0 ? gone(&w->jail, w->wire.peer, err) : 0;
}

int warden_ask(struct warden *w, uint32_t request, const struct req *r, uint32_t *type,
               struct buf *body, struct err *err)
{
	int rc = request_send(w, request, r, err);

	return rc < 0 ? rc : warden_next(w, type, body, w->o->time, err);
}

int writes_check(const struct warden *w, const struct msg_writes *writes, struct err *err)
{
	const struct msg_count *c = &writes->count;

	for (uint32_t i = 0; i < writes->n; i++)
		if (writes->v[i].disk >= w->disks)
			return err_set(
			        err, ERR_FORMAT,
			        "child: environment block on disk %u, but there are %zu disks",
			        writes->v[i].disk, w->disks);
	if (!*c->path)
		return 0;
	if (c->disk >= w->disks || c->start > w->disk[c->disk].size ||
	    c->size > w->disk[c->disk].size - c->start)
		return err_set(err, ERR_FORMAT,
		               "child: boot counter on disk %u, bytes %" PRIu64 " to %" PRIu64
		               ", which is on none of the %zu disks",
		               c->disk, c->start, c->start + c->size, w->disks);
	return 0;
}

int plan_check(const struct warden *w, const struct msg_plan *p, struct err *err)
{
	const struct options *o = w->o;

	if (p->kernel_size > o->kernel_max)
		return err_set(err, ERR_LIMIT,
		               "kernel: %" PRIu64 " bytes, larger than the limit of %" PRIu64,
		               p->kernel_size, o->kernel_max);
	if (p->ramdisk_size > o->ramdisk_max)
		return err_set(err, ERR_LIMIT,
		               "ramdisk: %" PRIu64 " bytes, larger than the limit of %" PRIu64,
		               p->ramdisk_size, o->ramdisk_max);
	if (copies(o) && p->kernel_size == 0)
		return err_set(err, ERR_FORMAT, "the kernel is empty");
	if (memchr(p->args.p, '\0', p->args.n) || memchr(p->args.p, '\n', p->args.n))
		return err_set(err, ERR_FORMAT,
		               "the kernel's arguments contain a NUL or a newline");
	return writes_check(w, &p->writes, err);
}

struct check {
	struct checker_spec spec;
	const char *known_path; /* NULL: nothing is remembered */
	struct known known;
	struct jail jail;
	struct wire wire;
};

static void check_remember(struct check *c, const struct options *o)
{
	const char *path = o->known ? o->known : DEFAULT_KNOWN;

	if (strcmp(path, "no") == 0)
		return;
	c->known_path = path;
	known_read(path, &c->known);
	say_debug("%s: %zu known kernels", path, c->known.n);
}

/* A second jail, which can only read the kernel. */
static int check_start(struct warden *w, struct check *c, uint64_t size, struct err *err)
{
	struct jail_spec spec = {.role = JAIL_CHECKER,
	                         .uid = w->o->uid,
	                         .memory = w->o->memory,
	                         .file_size = 0,
	                         .cpu = LIMIT_CHECK,
	                         .main = checker_main,
	                         .arg = &c->spec};
	int rc;

	check_remember(c, w->o);
	c->spec = (struct checker_spec){.fd = jail_give(&spec, JAIL_INPUT, w->kernel.fd),
	                                .size = size,
	                                .memory = w->o->memory / 4 * 3,
	                                .xen = host_xen_version(),
	                                .known = c->known_path ? &c->known : NULL};
	rc = jail_start(&spec, &c->jail, err);
	if (rc < 0)
		return rc;
	c->wire = (struct wire){.fd = c->jail.fd,
	                        .rules = message_answers,
	                        .rule_count = message_answer_count,
	                        .state = REQ_CHECK,
	                        .peer = "kernel check"};
	return wire_send(&c->wire, REQ_CHECK, STR(""), err);
}

/*
 * The sum of a kernel that may start. Nobody told domgrub to keep the usual
 * file: where that cannot be, it is no matter for a warning.
 */
static int sum_take(const struct check *c, const struct options *o, struct str body,
                    struct err *err)
{
	uint8_t sum[KNOWN_SUM];
	int rc = msg_sum_get(body, sum, err);

	if (rc == 0 && !c->known_path)
		rc = err_set(err, ERR_FORMAT, "child: unexpected checksum message");
	if (rc == 0 && known_has(&c->known, sum)) {
		say_debug("known kernel, checked before: not unpacked");
		return 0;
	}
	if (rc == 0)
		rc = known_add(c->known_path, sum, err);
	if (rc < 0 && !o->known) {
		say_debug("%s", err->text);
		return 0;
	}
	return rc;
}

static int check_answer(struct check *c, const struct options *o, struct buf *body, struct err *err)
{
	uint32_t type;
	int rc = child_next(&c->jail, &c->wire, &type, body, LIMIT_CHECK, err);

	if (rc < 0 || type != MSG_SUM)
		return rc;
	rc = sum_take(c, o, buf_str(body), err);
	return rc < 0 ? rc : child_next(&c->jail, &c->wire, &type, body, LIMIT_CHECK, err);
}

/* Errors here are warnings: the kernel may still boot. */
static void check_finish(struct check *c, const struct options *o)
{
	struct err err = ERR_INIT;
	struct buf body = BUF_INIT;

	if (c->jail.pid > 0 && check_answer(c, o, &body, &err) < 0)
		say_warning(str_from(err.text));
	buf_fini(&body);
	jail_end(&c->jail, true);
}

static int size_next(struct warden *w, uint64_t *out, struct err *err)
{
	struct buf body = BUF_INIT;
	uint32_t type;
	int rc = warden_next(w, &type, &body, w->o->copy_time, err);

	if (rc == 0 && type != MSG_SIZE)
		rc = err_set(err, ERR_FORMAT, "child: unexpected message %u, expected a size",
		             type);
	if (rc == 0)
		rc = msg_size_get(buf_str(&body), out, err);
	buf_fini(&body);
	return rc;
}

/* Receive the child's last messages, and wait for its end. */
static int copy_finish(struct warden *w, uint64_t kernel, uint64_t ramdisk, struct err *err)
{
	struct buf body = BUF_INIT;
	uint32_t type;
	int rc = warden_next(w, &type, &body, w->o->time, err);

	buf_fini(&body);
	if (rc == 0 && type != MSG_DONE)
		rc = err_set(err, ERR_FORMAT, "child: unexpected message %u, expected the end",
		             type);
	if (rc < 0)
		return rc;
	io_close(&w->jail.fd); /* the line was closed: the child exits by itself */
	rc = jail_wait(&w->jail, w->wire.peer, err);
	if (rc == 0)
		rc = output_check(&w->kernel, kernel, err);
	return rc < 0 ? rc : output_check(&w->ramdisk, ramdisk, err);
}

int warden_copy(struct warden *w, const struct msg_plan *p, struct err *err)
{
	struct check check = {.jail = JAIL_INIT};
	struct err why = ERR_INIT;
	uint64_t kernel = 0, ramdisk = 0;
	int rc = p->ramdisk_size > UINT64_MAX - p->kernel_size
	                 ? err_set(err, ERR_CHILD,
	                           "child: the sum of kernel and ramdisk size overflows")
	                 : output_room(&w->kernel, MIN(p->stored, p->kernel_size + p->ramdisk_size),
	                               err);

	if (rc == 0)
		rc = request_send(w, REQ_COPY, &(struct req){.text = STR(""), .more = STR("")},
		                  err);
	if (rc == 0)
		rc = size_next(w, &kernel, err);
	if (rc == 0 && kernel != p->kernel_size)
		rc = err_set(err, ERR_CHILD,
		             "child: the copied kernel's size differs from the plan");
	if (rc == 0 && w->o->check_kernel && check_start(w, &check, kernel, &why) < 0)
		say_warning(str_from(why.text));
	if (rc == 0)
		rc = size_next(w, &ramdisk, err);
	if (rc == 0 && ramdisk != p->ramdisk_size)
		rc = err_set(err, ERR_CHILD,
		             "child: the copied ramdisk's size differs from the plan");
	if (rc == 0)
		rc = copy_finish(w, kernel, ramdisk, err);
	if (rc == 0)
		check_finish(&check, w->o);
	jail_fini(&check.jail);
	return rc;
}
