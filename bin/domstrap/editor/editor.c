/* SPDX-License-Identifier: MIT */
/* The parent's side. It reads nothing that the guest wrote. */
#include "editor/editor.h"

#include <stdlib.h>
#include <time.h>

#include "base/io.h"
#include "base/mem.h"
#include "command.h"
#include "editor/editor_child.h"
#include "editor/editor_supply.h"
#include "editor/editor_wire.h"
#include "jail/jail.h"
#include "nixos/config_file.h"
#include "store/settle.h"

#define EDITOR_MEMORY (2ull << 30)
#define EDITOR_SECONDS 3600
#define EDITOR_SECONDS_COPYING 86400
#define STOP_GRACE_MS 60000   /* to end after ^C: a change under way may wait for the disk */
#define EDITORS_MAX 2         /* the first may complete an interrupted change of the config */
#define COPY_MAX (4ull << 30) /* bytes of a kernel or an initrd that is copied out */

struct parent {
	struct off_guest off;
	struct buf out; /* for stdout, once the work is done */
	unsigned words; /* messages that were shown or answered */
	struct wire line;
	struct ui_progress *progress; /* that the editor counts in */
	const struct editor_job *job;
	struct editor_supply supply;
};

/* ---- requests ------------------------------------------------------------- */

static int answer(struct parent *p, int rc, const struct err *why, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;

	if (rc < 0)
		wire_err_put(&body, why);
	return wire_send(&p->line, rc < 0 ? EDITOR_FAILED : EDITOR_OK, buf_str(&body), err);
}

static int publish(struct direct_host *h, const struct buf *body, struct err *err)
{
	_cleanup_(buf_fini) struct buf strings = BUF_INIT;
	struct direct_change change;
	int rc = editor_change_get(body, &change, &strings, err);

	return rc < 0 ? rc : h->publish(h, &change, err);
}

static int tidy(struct direct_host *h, const struct buf *body, struct err *err)
{
	struct bytes b = bytes_over(body->p, body->n);
	uint32_t all = wire_u32_get(&b, 1);

	if (!wire_end(&b))
		return err_set(err, ERR_CHILD, "the guest's process: an invalid request");
	return h->tidy(h, all, err);
}

/* A job that does not try a generation has no reason to ask, so a hostile editor gets nothing. */
static int serve_write_env(struct parent *p, const struct buf *body, struct err *err)
{
	struct bytes b = bytes_over(body->p, body->n);
	bool check = wire_u32_get(&b, 1);
	struct err why = ERR_INIT;
	int rc;

	if (!wire_end(&b) || !p->job->tries || !p->off.config.path)
		return err_set(err, ERR_CHILD,
		               "the guest's process: the config is not to be changed");
	rc = config_file_write_env(p->off.config.path, check || p->job->mode != OFF_GUEST_WRITE,
	                           &why);
	return answer(p, rc, &why, err);
}

/* direct.h's operations. */
static int serve_files(struct parent *p, uint32_t type, const struct buf *body, struct err *err)
{
	struct direct_host *h = p->off.host;
	struct err why = ERR_INIT;
	int rc = 0;

	if (!h)
		return err_set(err, ERR_CHILD, "the guest's process: there are no files to change");
	if (type == EDITOR_PUBLISH)
		rc = publish(h, body, &why);
	else if (type == EDITOR_SWITCH)
		rc = h->switch_over(h, &why);
	else if (type == EDITOR_TIDY)
		rc = tidy(h, body, &why);
	else
		h->take_back(h);
	return answer(p, rc, &why, err);
}

static int serve(struct parent *p, uint32_t type, const struct buf *body, struct err *err)
{
	if (type >= EDITOR_HAVE && type <= EDITOR_STREAM)
		return editor_supply_serve(&p->supply, type, body, &p->line, err);
	if (type == EDITOR_WRITE_ENV)
		return serve_write_env(p, body, err);
	return serve_files(p, type, body, err);
}

/* ---- what it says --------------------------------------------------------- */

static void show(uint32_t type, const struct buf *body)
{
	_cleanup_(buf_fini) struct buf clean = BUF_INIT;

	wire_text_clean(&clean, buf_str(body));
	buf_u8(&clean, 0);
	if (type == EDITOR_WARN)
		ui_warn("%s", clean.p);
	else if (type == EDITOR_SAY)
		ui_say("%s", clean.p);
	else
		ui_detail("%s", clean.p);
}

static void progress(const struct parent *p, const struct buf *body)
{
	struct bytes b = bytes_over(body->p, body->n);

	if (wire_u32_get(&b, 1))
		ui_progress_begin(p->progress);
	else
		ui_progress_end();
}

/* A limit for messages that may come any number of times. */
static int count(struct parent *p, uint32_t type, const struct buf *body, struct err *err)
{
	if (type == EDITOR_OUT ? body->n > EDITOR_OUT_MAX - p->out.n
	                       : ++p->words > EDITOR_WORDS_MAX)
		return err_set(err, ERR_CHILD, "%s: says more than %u MiB, or %u messages",
		               p->line.peer, EDITOR_OUT_MAX >> 20, EDITOR_WORDS_MAX);
	return 0;
}

enum { DONE, EARLY, AGAIN };

/* EARLY: the line ended before the last message; -ERR_*: the child's error. */
static int follow(struct parent *p, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	uint32_t type = 0;
	int rc;

	while ((rc = wire_recv(&p->line, &type, &body, -1, NULL, err)) == 0) {
		rc = count(p, type, &body, err);
		if (rc < 0)
			return rc;
		switch (type) {
		case EDITOR_DONE:
			return DONE;
		case EDITOR_AGAIN:
			return AGAIN;
		case EDITOR_FAILED:
			return wire_err_get(buf_str(&body), err);
		case WIRE_BROKEN:
			return jail_broken(buf_str(&body), p->line.peer, err);
		case EDITOR_OUT:
			wire_text_clean(&p->out, buf_str(&body));
			break;
		case EDITOR_WARN:
		case EDITOR_SAY:
		case EDITOR_DETAIL:
			show(type, &body);
			break;
		case EDITOR_PROGRESS:
			progress(p, &body);
			break;
		default:
			rc = serve(p, type, &body, err);
			if (rc < 0)
				return rc;
		}
	}
	/* The child has ended; its exit status tells more. */
	return rc == -ERR_FORMAT ? rc : EARLY;
}

/* ---- starting ------------------------------------------------------------- */

/* Descriptors of the disks: for writing if the command may change them, else for reading. */
static void give_disks(struct parent *p, struct jail_spec *spec, struct editor_child *c)
{
	enum jail_use use = p->off.repair ? JAIL_DISK : JAIL_INPUT;

	for (size_t i = 0; i < p->off.n_disks; i++) {
		const struct target *t = &p->off.targets[i];

		c->off.targets[i].fd = jail_give(spec, use, t->fd);
		if (t->direct_fd >= 0)
			c->off.targets[i].direct_fd = jail_give(spec, use, t->direct_fd);
	}
}

/* The files that the config names, and unnamed ones for what may take their place. */
static void give_files(struct parent *p, struct jail_spec *spec, struct editor_child *c)
{
	struct direct_host *h = p->off.host;

	if (!h)
		return;
	c->host = *h;
	for (size_t i = 0; i < DIRECT_FILES; i++) {
		int fd = -1;

		if (h->file[i].fd >= 0)
			c->host.file[i].fd = jail_give(spec, JAIL_INPUT, h->file[i].fd);
		c->copy[i] = -1;
		if (p->off.repair && h->copy(h, i, &fd, &c->copy_err[i]) == 0)
			c->copy[i] = jail_give(spec, JAIL_OUTPUT, fd);
	}
}

/*
 * The size limit of each file that the child writes: disks, copies of kernel and initrd, and the
 * NARs in its spool, of which no more fit on the disk than twice its bytes.
 */
static uint64_t largest_file(const struct parent *p)
{
	uint64_t n = p->job->largest;

	for (size_t i = 0; i < p->off.n_disks; i++)
		n = MAX(n, p->off.targets[i].size);
	return MAX(2 * n, COPY_MAX);
}

static int start(struct parent *p, struct editor_child *c, struct jail *jail, struct err *err)
{
	struct jail_spec spec = {.role = JAIL_EDITOR,
	                         .uid = JAIL_NOBODY,
	                         .memory = EDITOR_MEMORY,
	                         .file_size = largest_file(p),
	                         .cpu = p->job->supply ? EDITOR_SECONDS_COPYING : EDITOR_SECONDS,
	                         .main = editor_main,
	                         .arg = c};
	int rc = settle_libraries(err);

	if (rc < 0)
		return rc;
	tzset();
	c->off = p->off;
	give_disks(p, &spec, c);
	give_files(p, &spec, c);
	p->progress = ui_progress_shared();
	rc = editor_supply_start(&p->supply, p->job->supply, &spec, c, err);
	if (rc == 0)
		rc = jail_start(&spec, jail, err);
	editor_supply_forked(&p->supply);
	return rc;
}

/* One child, from its start to its end. What it says for stdout is in p->out. */
static int run_child(struct parent *p, struct editor_child *c, struct err *err)
{
	_cleanup_(jail_fini) struct jail jail = JAIL_INIT;
	int rc = start(p, c, &jail, err);

	if (rc < 0)
		return rc;
	p->line = (struct wire){.fd = jail.fd,
	                        .rules = editor_rules,
	                        .rule_count = editor_rule_count,
	                        .peer = "the guest's process",
	                        .stop = p->job->supply ? p->job->supply->stop : NULL,
	                        .grace_ms = STOP_GRACE_MS};
	rc = follow(p, err);
	ui_progress_end();
	io_close(&jail.fd);
	if (rc >= 0 && jail_reap(&jail, p->line.peer, err) < 0)
		return -(int)err->code;
	return rc == EARLY ? err_set(err, ERR_CHILD, "%s: ended early", p->line.peer) : rc;
}

int editor_run(const struct guest_options *opt, const struct editor_job *job, struct err *err)
{
	int rc = AGAIN;

	for (unsigned i = 0; i < EDITORS_MAX && rc == AGAIN; i++) {
		struct editor_child child = {.work = job->work, .arg = job->arg};
		struct parent p = {.out = BUF_INIT, .job = job, .supply = {.spool = -1}};

		rc = guest_open_disks(opt, job->mode, &p.off, err);
		if (rc < 0)
			return rc;
		p.off.any_root = job->any_root;
		rc = run_child(&p, &child, err);
		if (rc == DONE && job->out)
			buf_put(job->out, p.out.p, p.out.n);
		else if (rc == DONE)
			fwrite(p.out.p ? p.out.p : "", 1, p.out.n, stdout);
		editor_supply_fini(&p.supply);
		buf_fini(&p.out);
		guest_close(&p.off);
	}
	return rc == AGAIN ? err_set(err, ERR_CHILD,
	                             "the guest's process: has not completed the "
	                             "interrupted change that it found")
	                   : rc;
}

int editor_command(int argc, char **argv, const struct option_set *set, struct guest_options *opt,
                   int (*work)(struct editor *e, void *arg, struct err *err))
{
	struct editor_job job = {.work = work, .arg = opt};
	struct err err = ERR_INIT;
	int rc;

	ui_init(UI_NORMAL);
	rc = guest_options_parse(argc, argv, set, true, opt, &err);
	if (rc)
		return rc < 0 ? command_failed(&err) : STATUS_DONE;
	ui_init(opt->level);
	job.mode = opt->dry_run ? OFF_GUEST_LOOK : OFF_GUEST_WRITE;
	rc = editor_run(opt, &job, &err);
	return rc < 0 ? command_failed(&err) : STATUS_DONE;
}
