/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "list.h"
#include "menu.h"
#include "say.h"
#include "warden.h"

static void stop(int sig)
{
	warden_stop = true;
}

static void signals_catch(void)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
	struct sigaction sa = {.sa_handler = stop};

	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static bool person_watches(const struct options *o)
{
	const char *term = getenv("TERM");

	return !o->quiet && !o->entry && !o->is_config && term && strcmp(term, "dumb") != 0 &&
	       isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* Choose the entry to boot without asking the user. */
static int plan_ask(struct warden *w, struct msg_plan *plan, struct buf *body, struct err *err)
{
	const struct options *o = w->o;
	struct req r = {.text = STR(""), .more = STR("")};
	uint32_t type, request = REQ_AUTO;
	int rc;

	if (o->kernel) {
		request = REQ_FILES;
		r.text = str_from(o->kernel);
		r.more = o->ramdisk ? str_from(o->ramdisk) : r.more;
	} else if (o->entry) {
		r.has_text = true;
		r.text = str_from(o->entry);
	}
	rc = warden_ask(w, request, &r, &type, body, err);
	if (rc == 0 && type == MSG_WRITES) {
		rc = msg_writes_get(buf_str(body), &w->early, err);
		if (rc == 0)
			rc = writes_check(w, &w->early, err);
		if (rc < 0)
			w->early = (struct msg_writes){.n = 0};
		else
			rc = warden_next(w, &type, body, o->time, err);
	}
	if (rc == 0)
		rc = msg_plan_get(buf_str(body), plan, err);
	return rc < 0 ? rc : plan_check(w, plan, err);
}

/* As in GRUB and systemd-boot, a start is used up even if the entry cannot be booted. */
static void use_up(struct warden *w)
{
	struct err err = ERR_INIT;

	if (msg_writes_any(&w->early) && w->o->write_env && !w->o->not_really &&
	    warden_write(w, &w->early, &err) < 0)
		say_warning(str_from(err.text));
}

/* The entry's arguments, then one blank and the caller's, as pygrub does it. */
static char *args_join(const struct options *o, struct str args)
{
	if (!o->args || !*o->args)
		return xstrndup(args.p, args.n);
	if (!args.n)
		return xstrdup(o->args);
	return xasprintf("%.*s %s", STR_ARG(args), o->args);
}

static void config_line(struct buf *b, const char *name, struct str text)
{
	if (!text.n)
		return;
	buf_putf(b, "  %s: ", name);
	str_escape(b, text);
	buf_puts(b, "\n");
}

/* --isconfig: only print what would be booted. */
static int config_print(const struct msg_plan *p, const char *args, struct err *err)
{
	struct buf b = BUF_INIT;
	int rc;

	config_line(&b, "kernel", p->kernel);
	for (uint32_t i = 0; i < p->initrds; i++)
		config_line(&b, "initrd", p->initrd[i]);
	config_line(&b, "args", str_from(args));
	rc = io_write(STDOUT_FILENO, "standard output", buf_str(&b).p, b.n, err);
	buf_fini(&b);
	return rc;
}

static void plan_tell(const struct msg_plan *p, const char *args)
{
	struct str rest = p->output;

	say_debug("kernel %.*s, %llu bytes", STR_ARG(p->kernel),
	          (unsigned long long)p->kernel_size);
	for (uint32_t i = 0; i < p->initrds; i++)
		say_debug("ramdisk %.*s", STR_ARG(p->initrd[i]));
	say_debug("ramdisks %llu bytes", (unsigned long long)p->ramdisk_size);
	say_debug("arguments %s", args);
	while (rest.p && rest.n) {
		struct str line = str_cut(&rest, '\n');

		say_debug("message from the menu: %.*s", STR_ARG(line));
	}
}

static int boot(struct warden *w, const struct msg_plan *p, const char *args, struct answer *answer,
                struct err *err)
{
	const struct options *o = w->o;
	struct handoff h = {.kernel = w->kernel.path,
	                    .ramdisk = p->ramdisk_size ? w->ramdisk.path : NULL,
	                    .args = args};
	struct buf probe = BUF_INIT;
	int rc;

	plan_tell(p, args);
	if (o->is_config)
		return config_print(p, args, err);
	/* Check the outputs first, before any work is done. */
	rc = handoff_put(&h, o->format, &probe, err);
	buf_fini(&probe);
	/* The same if its kernel cannot be loaded. */
	if (rc == 0 && !o->not_really)
		rc = warden_write(w, &p->writes, err);
	if (rc == 0 && !o->not_really)
		rc = warden_copy(w, p, err);
	if (rc == 0 && warden_stop)
		rc = err_set(err, ERR_INTERRUPTED, "stopped by a signal");
	if (rc == 0)
		rc = answer_write(answer, o->format, &h, err);
	if (rc < 0 || o->not_really)
		return rc;
	output_keep(&w->kernel);
	if (p->ramdisk_size)
		output_keep(&w->ramdisk);
	return 0;
}

static int choose_and_boot(struct warden *w, struct answer *answer, struct err *err)
{
	_free_ struct msg_plan *plan = xcalloc(1, sizeof *plan);
	_free_ char *args = NULL;
	struct buf body = BUF_INIT;
	int rc = 1;

	if (person_watches(w->o) && !w->o->kernel)
		rc = menu_run(w, plan, &body, &args, err);
	/* 1: no entry was chosen. */
	if (rc == 1) {
		rc = plan_ask(w, plan, &body, err);
		if (rc < 0 && rc != -ERR_INTERRUPTED)
			use_up(w);
	}
	if (rc == 0 && !args)
		args = args_join(w->o, plan->args);
	if (rc == 0)
		rc = boot(w, plan, args, answer, err);
	buf_fini(&body);
	return rc;
}

static int run(const struct options *o, struct err *err)
{
	_cleanup_(warden_fini) struct warden w = WARDEN_INIT;
	_cleanup_(answer_fini) struct answer answer = ANSWER_INIT;
	int rc = o->list ? 0 : answer_open(o, &answer, err);

	if (rc == 0)
		rc = warden_start(&w, o, err);
	if (rc == 0)
		rc = o->list ? list_print(&w, err) : choose_and_boot(&w, &answer, err);
	return rc;
}

/* Words that xapi, which uses this format, looks for. */
static void fail_say(const struct options *o, struct err *err)
{
	if (o->format == HANDOFF_SIMPLE)
		err_prefix(err, "RuntimeError");
	say_error(str_from(err->text));
}

/*
 * An opened file must not become standard error, where messages go, nor standard output, where the
 * answer goes.
 */
static void standard_fds_open(void)
{
	int fd = open("/dev/null", O_RDONLY);

	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = dup(fd);
	io_close(&fd);
}

static int about_print(const struct options *o, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;

	if (o->help)
		options_usage(&text);
	else
		buf_puts(&text, "domgrub " VERSION "\n");
	return io_write(STDOUT_FILENO, "standard output", text.p, text.n, err);
}

static int status_of(int rc)
{
	switch (rc) {
	case -ERR_USAGE:
		return 2;
	case -ERR_BUSY:
		return 3;
	default:
		return rc < 0 ? 1 : 0;
	}
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct options o;
	int rc;

	standard_fds_open();
	rc = options_parse(argc, argv, &o, &err);
	if (rc < 0) {
		say_error(str_from(err.text));
		return status_of(rc);
	}
	say_debugging = o.debug;
	signals_catch();
	rc = o.help || o.version ? about_print(&o, &err) : run(&o, &err);
	if (rc < 0)
		fail_say(&o, &err);
	say_fini();
	options_fini(&o);
	return status_of(rc);
}
