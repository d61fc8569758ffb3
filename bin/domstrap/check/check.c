/* SPDX-License-Identifier: MIT */
#include "check/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "command.h"
#include "ui/json_out.h"
#include "host/guest_options.h"

#define PARAMS_MAX 65536u

static const char intro[] =
        "usage: domstrap check [CONFIG|DISK... | --system PATH] [options]\n\n"
        "Checks before a guest is started whether it will run: the host (Xen, xl, boot\n"
        "loader, bridges, memory, disks), and what the guest would boot (menu, kernel,\n"
        "drivers in the initrd, root, console, init). Without an argument it checks only\n"
        "the host. Nothing is written. Exit status 4: the guest will not run.\n\n";

struct check_options {
	struct guest_options common;
	const char *system;
};

static const struct option_row rows[] = {
        ROW_TEXT("system", "PATH", "check a built system in the host's store", struct check_options,
                 system),
        GUEST_JSON("print JSON"),
        GUEST_LAST("more messages"),
};

static const struct option_set options = SET_OF_ROWS("check", intro, rows);

struct check {
	struct check_options req;
	struct arguments args;
	struct inspector_disks disks;
	json_t *seen;
	struct buf params;     /* of --system */
	char *kernel, *initrd; /* of --system */
	struct findings found;
};

static void check_fini(struct check *c)
{
	findings_fini(&c->found);
	json_decref(c->seen);
	inspector_close(&c->disks);
	arguments_fini(&c->args);
	buf_fini(&c->params);
	free(c->kernel);
	free(c->initrd);
}

/* A file of the host that is booted; what is wrong with it is a finding. */
static bool open_host(struct check *c, unsigned which, const char *path, const char *remedy)
{
	struct err err = ERR_INIT;

	if (disk_spec_open(path, &c->disks.host[which], &err) == 0)
		return true;
	findings_add(&c->found, FINDING_ERROR, "start", path, remedy, "%s", err.text);
	c->disks.host[which].name = NULL;
	return false;
}

static int look_now(struct check *c, struct err *err)
{
	return inspector_run(&c->disks, INSPECTOR_KERNELS | INSPECTOR_SYSTEM, &c->seen, err);
}

/* ---- a guest -------------------------------------------------------------- */

static int check_disks_guest(struct check *c, struct err *err)
{
	const struct xlcfg_guest *g = &c->args.cfg;
	struct err why = ERR_INIT;
	bool right = true;
	int rc;

	if (arguments_open(&c->args, &c->disks, &why) < 0) {
		findings_add(&c->found, FINDING_ERROR, "disk", "disks", "", "%s", why.text);
		return 0;
	}
	c->disks.cmdline = g->cmdline;
	if (g->kernel)
		right = open_host(c, INSPECTOR_HOST_KERNEL, g->kernel,
		                  "correct kernel= in the config");
	if (g->ramdisk)
		right &= open_host(c, INSPECTOR_HOST_INITRD, g->ramdisk,
		                   "correct ramdisk= in the config");
	if (!right)
		return 0;
	if (!c->disks.n && !g->kernel) {
		if (!c->args.n)
			findings_add(&c->found, FINDING_ERROR, "disk", "disks",
			             "add disk= to the config", "the config has no disks");
		return 0;
	}
	rc = look_now(c, err);
	if (rc == 0)
		check_guest(&c->args, c->seen, &c->found);
	return rc < 0 ? rc : check_helper(&c->args, &c->found, err);
}

/* ---- a system ------------------------------------------------------------- */

static int host_read(void *ctx, const char *path, size_t limit, struct buf *out, struct err *err)
{
	return err_absent(io_read_file(AT_FDCWD, path, limit, out, err));
}

static int host_find(void *ctx, const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_absent(err_sys(err, errno, "%s", path));
	return !S_ISREG(st.st_mode) || !st.st_size;
}

static int host_exists(void *ctx, const char *path, struct err *err)
{
	if (access(path, F_OK) < 0)
		return err_absent(err_sys(err, errno, "%s", path));
	return 0;
}

/* The answer for the kernel, completed by what the host's own store has. */
static void check_host_system(struct check *c, const char *top)
{
	static const struct root_reader reader = {host_read, host_find, host_exists, NULL};
	_free_ char *init = xasprintf("%s/init", top);
	json_t *direct = json_object_get(c->seen, "direct");
	json_t *system = json_object_get(direct, "system");
	const json_t *kernel = json_object_get(json_object_get(c->seen, "kernels"), c->kernel);
	struct err err = ERR_INIT;

	if (!json_is_object(system))
		return;
	inspector_system(&reader, init, inspector_text(kernel, "release"), system);
	json_object_set_new(direct, "init", json_string(init));
	json_object_set_new(direct, "initFound", json_boolean(access(init, F_OK) == 0));
	if (inspector_etc(&reader, init, direct, &err) < 0 && !json_object_get(system, "trouble"))
		json_object_set_new(system, "trouble", json_string(err.text));
	check_start(&c->args, c->seen, direct, top, &c->found);
}

static int check_system(struct check *c, struct err *err)
{
	_free_ char *top = realpath(c->req.system, NULL);
	_free_ char *params = NULL;
	bool right;
	int rc;

	if (!top)
		return err_sys(err, errno, "%s", c->req.system);
	c->kernel = xasprintf("%s/kernel", top);
	c->initrd = xasprintf("%s/initrd", top);
	params = xasprintf("%s/kernel-params", top);
	rc = err_absent(io_read_file(AT_FDCWD, params, PARAMS_MAX, &c->params, err));
	if (rc < 0)
		return rc;
	buf_puts(&c->params, "");
	c->disks.cmdline = c->params.p;
	right = open_host(c, INSPECTOR_HOST_KERNEL, c->kernel,
	                  "build the system with a kernel, or set kernel= in the config");
	if (access(c->initrd, F_OK) == 0)
		right &= open_host(c, INSPECTOR_HOST_INITRD, c->initrd, "");
	if (!right)
		return 0;
	rc = look_now(c, err);
	if (rc == 0)
		check_host_system(c, top);
	return rc;
}

/* ---- the whole ------------------------------------------------------------ */

static int check_all(struct check *c, struct err *err)
{
	const struct guest_options *o = &c->req.common;
	int rc;

	if (c->req.system && o->n_args)
		return err_set(err, ERR_USAGE,
		               "--system and an argument (\"%s\") are mutually exclusive",
		               o->args[0]);
	rc = arguments_read(o->args, o->n_args, &c->args, err);
	if (rc < 0)
		return rc;
	check_host(&c->args, &c->found);
	if (c->req.system)
		return check_system(c, err);
	return o->n_args ? check_disks_guest(c, err) : 0;
}

static void report(const struct check *c)
{
	size_t errors = findings_count(&c->found, FINDING_ERROR);
	size_t unknown = findings_count(&c->found, FINDING_UNKNOWN);
	json_t *o;

	if (!c->req.common.json) {
		findings_print(&c->found,
		               c->req.common.level < UI_NORMAL ? FINDING_WARNING : FINDING_OK);
		if (errors)
			printf("%zu %s found: the guest will not run\n", errors,
			       errors == 1 ? "problem" : "problems");
		else if (unknown)
			printf("OK: no problems found; %zu %s\n", unknown,
			       unknown == 1 ? "check was not possible"
			                    : "checks were not possible");
		else
			puts("OK: no problems found");
		return;
	}
	o = json_out_new();
	json_object_set_new(o, "ok", json_boolean(!errors));
	json_object_set_new(o, "findings", findings_json(&c->found));
	json_out_print(o, stdout);
}

int cmd_check(int argc, char **argv)
{
	_cleanup_(check_fini) struct check c = {.params = BUF_INIT};
	struct err err = ERR_INIT;
	int rc;

	ui_init(UI_NORMAL);
	rc = guest_options_parse(argc, argv, &options, false, &c.req.common, &err);
	if (rc)
		return rc < 0 ? command_failed(&err) : STATUS_DONE;
	ui_init(c.req.common.level);
	rc = check_all(&c, &err);
	if (rc < 0)
		return command_failed(&err);
	report(&c);
	return findings_count(&c.found, FINDING_ERROR) ? STATUS_VERIFY : STATUS_DONE;
}
