/* SPDX-License-Identifier: MIT */
#include "host/guest_open.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "host/busy.h"
#include "ext4/claim.h"
#include "nixos/change.h"
#include "nixos/direct_host.h"

_Static_assert(ARGUMENTS_DISKS_MAX == OFF_GUEST_DISKS_MAX, "as many disks as can be named");

/* The paths of the disks, and the values of the config. */
static int take_arguments(struct off_guest *off, const struct guest_options *opt, struct err *err)
{
	_cleanup_(arguments_fini) struct arguments a = {.n = 0};
	int rc = arguments_read(opt->args, opt->n_args, &a, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < a.n; i++)
		if (!a.v[i].raw)
			return err_set(err, ERR_UNSUPPORTED, "%s: disk %s: %s", a.config,
			               a.v[i].path, a.v[i].why);
	if (!a.n)
		return err_set(err, ERR_USAGE, "%s: the config has no disks", a.config);
	for (; off->n_disks < a.n; off->n_disks++)
		off->paths[off->n_disks] = take(&a.v[off->n_disks].path);
	off->cfg = a.cfg;
	a.cfg = (struct xlcfg_guest){0};
	off->config = booting_config(a.config, &off->cfg);
	return 0;
}

/* Open all disks for writing, or none of them. */
static int open_target(struct off_guest *off, size_t i, struct err *err)
{
	int rc = target_open_existing(&off->targets[i], off->paths[i], !off->repair, err);
	bool refused =
	        err->sys_errno == EACCES || err->sys_errno == EROFS || err->sys_errno == EPERM;

	if (rc == 0 || off->mode != OFF_GUEST_READ || !off->repair || i || !refused)
		return rc;
	off->repair = false;
	return target_open_existing(&off->targets[i], off->paths[i], true, err);
}

static void warn(const char *text)
{
	ui_warn("%s", text);
}

int guest_open_disks(const struct guest_options *opt, enum off_guest_mode mode,
                     struct off_guest *off, struct err *err)
{
	int rc;

	*off = (struct off_guest){.now = off_guest_now(),
	                          .mode = mode,
	                          .repair = mode != OFF_GUEST_LOOK,
	                          .warn = warn};
	for (size_t i = 0; i < OFF_GUEST_DISKS_MAX; i++)
		off->targets[i] = (struct target)TARGET_INIT;
	rc = take_arguments(off, opt, err);
	if (rc == 0)
		rc = busy_check(off->paths, off->n_disks, err);
	for (size_t i = 0; i < off->n_disks && rc == 0; i++)
		rc = open_target(off, i, err);
	for (size_t i = 0; i < off->n_disks && rc == 0 && !opt->claimed; i++)
		rc = claim_check(off->targets[i].fd, off->paths[i], err);
	if (rc == 0 && off->cfg.kernel)
		rc = direct_host_open(off->config.path, &off->host, err);
	if (rc < 0)
		guest_close(off);
	return rc;
}

void guest_close(struct off_guest *off)
{
	direct_host_close(off->host);
	off->host = NULL;
	off_guest_close(off);
}
