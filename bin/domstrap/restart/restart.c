/* SPDX-License-Identifier: MIT */
/*
 * Each step ends with the guest running, or with an error that says that it does not:
 *
 *     begin      claim the disks, find the domain, build the system      the guest still runs
 *     stop       xl shutdown                                             else it still runs
 *     change     update, which may put a generation on trial             else put_back()
 *     come_up    xl create; the health command, or a login prompt        else fall_back()
 *     confirm    of a trial: by the guest, or while it is off again      else fall_back()
 */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "command.h"
#include "ext4/claim.h"
#include "restart/restart_disk.h"
#include "restart/restart_watch.h"
#include "update/update_build.h"
#include "update/update_in.h"

#define WAIT_SECONDS 300
#define ANEW_MS 5000 /* xl restarts a guest that crashed or rebooted */

static const char intro[] =
        "usage: domstrap restart GUEST [--try] [--health COMMAND] [options]\n\n"
        "Shuts a guest down, updates it as \"domstrap update\" does, if a system or a size\n"
        "is given, starts it, and waits until it is up. With --try, or if a generation\n"
        "is on trial already: confirms it then, or else starts the old one again.\n"
        "GUEST is its xl config.\n\n";

struct restart_options {
	struct update_options update;
	const char *health;
	unsigned wait;
};

static const struct option_row own_rows[] = {
        ROW_TEXT("health", "COMMAND",
                 "wait until this command succeeds (default: until\na login prompt is on the "
                 "console)",
                 struct restart_options, health),
        {.name = "wait",
         0,
         "SECONDS",
         "limit for the shutdown, and for each start\n(default: 300)",
         option_count,
         offsetof(struct restart_options, wait),
         86400},
        GUEST_LAST("more messages"),
};
static const struct option_group groups[] = {UPDATE_GROUPS, OPTION_GROUP(own_rows, 0)};
static const struct option_set options = SET_OF_GROUPS("restart", intro, groups);

struct restart {
	struct restart_options opt;
	struct update update;
	struct arguments args;
	int claims[ARGUMENTS_DISKS_MAX];
	size_t n_claims;
	struct running guest;
	char *config, *built;
	bool ran;       /* before; else it stays off if nothing is started */
	bool started;   /* since the change, so that the start of a trial is used up */
	bool confirmed; /* the trial's system boots by default */
	struct next_start next;
	struct watch watch;
	int signal; /* that came */
	int status; /* exit status; 0: what the error has */
};

static int interrupted(struct err *err)
{
	return ui_signal() ? err_set(err, ERR_INTERRUPTED, "interrupted") : 0;
}

/* ---- before it stops ------------------------------------------------------ */

static int read_config(struct restart *r, struct err *err)
{
	const struct guest_options *o = &r->opt.update.common;
	int rc = arguments_read(o->args, o->n_args, &r->args, err);

	if (rc < 0)
		return rc;
	if (!r->args.config)
		return err_set(err, ERR_USAGE, "%s: restart requires the guest's xl config",
		               o->args[0]);
	if (!r->args.cfg.name || r->args.cfg.name[0] == '-')
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: the config sets no name, or one with \"-\" "
		               "at its beginning",
		               r->args.config);
	r->config = xasprintf("%s%s", r->args.config[0] == '-' ? "./" : "", r->args.config);
	r->guest = (struct running){.name = r->args.cfg.name, .config = r->config};
	return 0;
}

static int begin(struct restart *r, struct err *err)
{
	int rc = read_config(r, err);

	for (size_t i = 0; rc == 0 && i < r->args.n; i++) {
		if (!r->args.v[i].raw)
			continue;
		rc = claim_take(r->args.v[i].path, &r->claims[r->n_claims], err);
		r->n_claims += rc == 0;
	}
	if (rc == 0)
		rc = running_find(&r->guest, &r->args, err);
	r->ran = r->guest.id != 0;
	r->update.req = r->opt.update;
	r->update.req.common.claimed = true;
	if (rc == 0)
		rc = update_build(&r->update.req, &r->built, err);
	return rc == 0 ? interrupted(err) : rc;
}

static int stop(struct restart *r, struct err *err)
{
	int rc;

	if (!r->guest.id)
		return 0;
	ui_say("%s: shutting down (domain %d)", r->guest.name, r->guest.id);
	rc = running_stop(&r->guest, r->opt.wait, err);
	if (rc != -ERR_LIMIT)
		return rc;
	return err_set(err, ERR_LIMIT,
	               "%s: has not shut down within %u s, and runs on unchanged; it may still "
	               "stop later. Find out why, or end it with \"xl destroy %d\", then start it "
	               "with \"domstrap restart\" again",
	               r->guest.name, r->opt.wait, r->guest.id);
}

/* ---- while it is off ------------------------------------------------------ */

/* A guest that domstrap cannot read has no trial of domstrap's. */
static int find_next(struct restart *r, struct err *err)
{
	int rc = next_start_find(&r->update.req.common, &r->next, err);

	if (rc == 0 || update_wanted(&r->opt.update) || rc == -ERR_BUSY || rc == -ERR_INTERRUPTED)
		return rc;
	ui_warn("cannot tell whether a generation is on trial: %s", err->text);
	return 0;
}

static int change(struct restart *r, struct err *err)
{
	int rc = interrupted(err);

	if (rc == 0 && update_wanted(&r->update.req))
		rc = update_run(&r->update, err);
	if (rc == 0)
		rc = find_next(r, err);
	return rc == 0 ? interrupted(err) : rc;
}

/* The change failed, or was stopped: start what ran before. */
static void put_back(struct restart *r)
{
	struct err err = ERR_INIT;

	r->signal = ui_signal();
	ui_signals_ignore();
	if (restart_drop_trial(&r->update.req.common, &err) < 0)
		ui_warn("%s", err.text);
	if (!r->ran)
		return;
	ui_say("%s: starting it again", r->guest.name);
	if (running_start(&r->guest, r->opt.wait, &err) < 0)
		ui_warn("%s: is off: %s", r->guest.name, err.text);
}

/* ---- starting ------------------------------------------------------------- */

static int come_up(struct restart *r, struct err *err)
{
	int rc = 0;

	if (!r->guest.id) {
		ui_say("%s: starting", r->guest.name);
		rc = running_start(&r->guest, r->opt.wait, err);
		r->started = r->started || rc == 0;
	}
	if (rc < 0)
		return rc;
	ui_say("%s: waiting for %s (domain %d)", r->guest.name,
	       r->opt.health ? "the health command" : "a login prompt", r->guest.id);
	watch_start(&r->watch, &r->guest, r->opt.health, r->opt.wait);
	return watch_up(&r->watch, err);
}

/* By the guest itself; 1: it has not said so. */
static int await_guest(struct restart *r, struct err *err)
{
	ui_say("%s: waiting until it confirms its system", r->guest.name);
	return watch_verdict(&r->watch, err);
}

/* The disk of a running guest is never written: this needs another shutdown and start. */
static int confirm(struct restart *r, struct err *err)
{
	int rc = r->next.confirms ? await_guest(r, err) : 1;

	if (rc == 1) {
		watch_end(&r->watch);
		ui_say("%s: shutting down to confirm %s", r->guest.name, r->next.system);
		rc = running_stop(&r->guest, r->opt.wait, err);
		if (rc == 0)
			rc = interrupted(err);
		if (rc == 0)
			rc = restart_confirm(&r->update.req.common, r->next.system,
			                     r->next.confirms, err);
		r->confirmed = rc == 0;
		return rc < 0 ? rc : come_up(r, err);
	}
	r->confirmed = rc == 0;
	return rc;
}

/* The domain that xl makes for a guest that crashed or rebooted; 0: none. */
static int find_anew(const struct restart *r)
{
	int64_t end = clock_ms() + ANEW_MS;
	int id;

	while ((id = running_id(&r->guest)) <= 0 && clock_ms() < end)
		poll(NULL, 0, ANEW_MS / 10);
	return id > 0 ? id : 0;
}

/*
 * Stop the trial. If the guest has confirmed itself meanwhile, it can also shut down, and its disk
 * can be written; one that was destroyed first has to be started. left: it has stopped or
 * restarted without us.
 */
static int end_trial(struct restart *r, bool left, bool clean, struct err *err)
{
	int rc = 0;

	if (left)
		r->guest.id = find_anew(r);
	if (r->guest.id && clean && running_stop(&r->guest, r->opt.wait, err) < 0)
		ui_warn("%s", err->text);
	/* What xl has started anew has the old generation. */
	if (r->guest.id && (!left || clean))
		rc = running_destroy(&r->guest, err);
	if (rc < 0)
		return rc;
	r->guest.id = MAX(running_id(&r->guest), 0);
	if (r->guest.id)
		return 0;
	if (!r->started)
		return restart_drop_trial(&r->update.req.common, err);
	return restart_go_back(&r->update.req.common, &r->next, clean, err);
}

/* Interrupted: start the old generation, and leave it. */
static void leave_old(struct restart *r)
{
	struct err err = ERR_INIT;

	if (!r->guest.id && running_start(&r->guest, r->opt.wait, &err) < 0)
		ui_warn("%s: is off: %s", r->guest.name, err.text);
}

/* What became of it: rc of the old generation's start, kept: it is the old one. */
static void say_outcome(struct restart *r, int rc, bool kept, const struct err *second,
                        struct err *err)
{
	r->status = rc == 0 && kept ? STATUS_FELL_BACK : STATUS_NOT_UP;
	if (rc < 0)
		(void)err_prefix(err, "%s failed, and the old generation has not come up (%.400s)",
		                 r->next.system, second->text);
	else if (kept)
		(void)err_prefix(err, "%s failed, and the old generation runs again",
		                 r->next.system);
	else
		(void)err_prefix(err,
		                 "%s failed, but the guest has confirmed it itself, and still "
		                 "boots it (see \"domstrap rollback\")",
		                 r->next.system);
}

/* err: why the trial failed. The start used it up: the next one boots the default. */
static void fall_back(struct restart *r, struct err *err)
{
	bool stopped = err->code == ERR_INTERRUPTED, confirmed = r->watch.verdict > 0;
	struct err second = ERR_INIT;
	int rc, ended;

	watch_end(&r->watch);
	if (stopped) {
		r->signal = ui_signal();
		ui_signals_ignore();
	}
	ui_say("%s: %s, back to the old generation", r->guest.name,
	       stopped ? "interrupted" : "not confirmed");
	ended = end_trial(r, err->code == ERR_CHILD, confirmed, &second);
	if (ended < 0)
		ui_warn("%s: %s", r->guest.name, second.text);
	if (ended < 0 && r->guest.id) {
		(void)err_prefix(err, "%s failed, and still runs", r->next.system);
		r->status = STATUS_NOT_UP;
	} else if (stopped) {
		leave_old(r);
	} else {
		rc = come_up(r, &second);
		if (rc == -ERR_INTERRUPTED)
			*err = second;
		else
			say_outcome(r, rc, ended != -ERR_EXISTS, &second, err);
	}
}

/* ---- the command ---------------------------------------------------------- */

static int restart(struct restart *r, struct err *err)
{
	int rc = begin(r, err);

	if (rc == 0)
		rc = stop(r, err);
	if (rc < 0)
		return rc;
	rc = change(r, err);
	if (rc < 0) {
		put_back(r);
		return rc;
	}
	rc = come_up(r, err);
	if (rc == 0 && r->next.trial)
		rc = confirm(r, err);
	if (rc < 0 && rc != -ERR_INTERRUPTED)
		watch_add_console(&r->watch, err);
	if (rc < 0 && r->next.trial && !r->confirmed) {
		fall_back(r, err);
	} else if (rc < 0 && rc != -ERR_INTERRUPTED) {
		r->status = STATUS_NOT_UP;
		if (r->confirmed)
			(void)err_prefix(err,
			                 "%s came up and is confirmed, but its second start failed "
			                 "(see \"domstrap rollback\")",
			                 r->next.system);
	}
	return rc;
}

static void report(const struct restart *r)
{
	if (r->opt.update.common.level < UI_NORMAL)
		return;
	if (r->confirmed)
		printf("confirmed %s\n", r->next.system);
	printf("%s is up (domain %d)\n", r->guest.name, r->guest.id);
}

static int end(struct restart *r, int rc, struct err *err)
{
	int sig = r->signal ? r->signal : ui_signal();

	watch_end(&r->watch);
	for (size_t i = 0; i < r->n_claims; i++)
		io_close(&r->claims[i]);
	if (rc == 0)
		report(r);
	nixos_files_fini(&r->update.nixos);
	next_start_fini(&r->next);
	arguments_fini(&r->args);
	free(r->config);
	free(r->built);
	if (rc == 0)
		return STATUS_DONE;
	if (err->code == ERR_INTERRUPTED && sig)
		return 128 + sig;
	if (!r->status)
		return command_failed(err);
	ui_error(err);
	return r->status;
}

int cmd_restart(int argc, char **argv)
{
	static struct restart r; /* large */
	struct err err = ERR_INIT;
	int rc;

	r = (struct restart){.opt = {.update = UPDATE_DEFAULTS, .wait = WAIT_SECONDS},
	                     .watch = {.console = SUBPROCESS_INIT, .command = SUBPROCESS_INIT}};
	ui_init(UI_NORMAL);
	rc = guest_options_parse(argc, argv, &options, true, &r.opt.update.common, &err);
	if (rc)
		return rc < 0 ? command_failed(&err) : STATUS_DONE;
	r.update.stop = ui_catch_signals();
	ui_signals_once();
	r.update.req = r.opt.update;
	rc = update_check(&r.update, &err);
	ui_init(r.opt.update.common.level);
	if (rc == 0)
		rc = restart(&r, &err);
	return end(&r, rc, &err);
}
