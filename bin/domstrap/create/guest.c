/* SPDX-License-Identifier: MIT */
/*
 * What a guest is made of, before anything is written: the system and its
 * closure, its disks and files, its config.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/mem.h"
#include "create/create.h"
#include "host/grub_kernel.h"
#include "nix/channel.h"
#include "nixos/secrets.h"
#include "xen/xlcfg_read.h"

#define CMDLINE_PV_MAX 1023u    /* Xen's start info has 1024 bytes for it */
#define EPOCH_MAX 0x37fffffffll /* what ext4's time stamps hold */

static int set_time(struct guest *g, struct err *err)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	uint64_t v;

	g->time = 1;
	if (!text || !*text)
		return 0;
	if (!str_u64(str_from(text), 10, EPOCH_MAX, &v) || v == 0)
		return err_set(
		        err, ERR_USAGE,
		        "SOURCE_DATE_EPOCH '%s': expected a number of seconds from 1 to %lld", text,
		        EPOCH_MAX);
	g->time = (int64_t)v;
	return 0;
}

static void set_channel(struct guest *g)
{
	char *eq;

	g->channel_name = NULL;
	if (g->opt.no_channel)
		return;
	if (!g->opt.channel) {
		if (channel_url(str_from(g->system.version), g->channel_url))
			g->channel_name = "nixos";
		return;
	}
	g->channel_copy = xstrdup(g->opt.channel);
	eq = strrchr(g->channel_copy, '=');
	g->channel_name = "nixos";
	if (eq) {
		*eq = '\0';
		g->channel_name = eq + 1;
	}
}

/* A parameter, or where it ends in "=" one of that name. */
static bool has_param(const struct nixos_system *s, const char *param)
{
	size_t n = strlen(param);
	bool any = param[n - 1] == '=';

	for (size_t i = 0; i < s->nparams; i++)
		if (any ? strncmp(s->params[i], param, n) == 0 : strcmp(s->params[i], param) == 0)
			return true;
	return false;
}

/* Parameters that the system lacks: Xen's console, and a restart after a panic. */
static char *missing_params(const struct nixos_system *s)
{
	static const struct {
		const char *sign, *param;
	} wanted[] = {{"console=hvc0", "console=hvc0"}, {"panic=", "panic=30"}};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		if (!has_param(s, wanted[i].sign))
			buf_putf(&b, "%s%s", b.n ? " " : "", wanted[i].param);
	return b.n ? buf_steal(&b) : NULL;
}

/*
 * Direct: all that the kernel is to get. With a boot helper: what it shall add
 * to what the guest's own menu says.
 */
static int set_cmdline(struct guest *g, struct err *err)
{
	_free_ char *missing = missing_params(&g->system);
	struct buf b = BUF_INIT;

	if (g->opt.boot == BOOT_GRUB && missing)
		ui_warn("%s: its kernel command line lacks %s, and with --boot grub only the boot "
		        "menu sets it; add it to boot.kernelParams",
		        g->system.toplevel, missing);
	if (g->opt.boot == BOOT_DOMGRUB || g->opt.boot == BOOT_PYGRUB)
		g->cmdline = take(&missing);
	if (g->opt.boot != BOOT_DIRECT)
		return 0;
	buf_putf(&b, "init=%s", g->system.init);
	if (missing)
		buf_putf(&b, " %s", missing);
	for (size_t i = 0; i < g->system.nparams; i++)
		buf_putf(&b, " %s", g->system.params[i]);
	g->cmdline = buf_steal(&b);
	if (g->opt.domain.type == XL_PV && strlen(g->cmdline) > CMDLINE_PV_MAX)
		return err_set(err, ERR_LIMIT,
		               "the kernel command line has %zu bytes, but a PV guest gets only %u",
		               strlen(g->cmdline), CMDLINE_PV_MAX);
	return 0;
}

static char *absolute(const char *path, struct err *err)
{
	char *real = realpath(path, NULL);

	if (!real)
		err_sys(err, errno, "%s", path);
	return real;
}

static int check_kernel(const struct guest *g, struct err *err)
{
	const struct create_options *o = &g->opt;

	if (!g->system.kernel && !o->kernel)
		return err_set(err, ERR_USAGE,
		               "%s has no kernel; use one on the host with --boot direct --kernel "
		               "FILE (and --initrd FILE)",
		               g->system.toplevel);
	if (!g->system.initrd && o->boot != BOOT_DIRECT)
		return err_set(err, ERR_USAGE,
		               "%s has no initrd, so NixOS writes no boot menu entry for it; use "
		               "--boot direct",
		               g->system.toplevel);
	return 0;
}

static int set_disk_path(const struct guest *g, struct guest_disk *d, struct err *err)
{
	d->path = d->device ? absolute(d->device, err)
	                    : xasprintf("%s/%s%s", g->dir, g->opt.name, d->suffix);
	return d->path ? 0 : -(int)err->code;
}

static int set_kernel_paths(struct guest *g, struct err *err)
{
	const struct create_options *o = &g->opt;

	if (o->boot == BOOT_GRUB)
		return grub_kernel_find(o->grub_image, &g->kernel, err);
	if (o->boot != BOOT_DIRECT)
		return 0;
	if (o->kernel) {
		g->kernel = absolute(o->kernel, err);
		g->initrd = o->initrd && g->kernel ? absolute(o->initrd, err) : NULL;
		return !g->kernel || (o->initrd && !g->initrd) ? -(int)err->code : 0;
	}
	g->kernel = xasprintf("%s/%s.kernel", g->dir, o->name);
	if (g->system.initrd)
		g->initrd = xasprintf("%s/%s.initrd", g->dir, o->name);
	return 0;
}

static int set_paths(struct guest *g, struct err *err)
{
	int rc = 0;

	g->dir = absolute(g->opt.output, err);
	if (!g->dir)
		return -(int)err->code;
	for (size_t i = 0; i < g->n_disks && rc == 0; i++)
		rc = set_disk_path(g, &g->disks[i], err);
	g->cfg = xasprintf("%s/%s.cfg", g->dir, g->opt.name);
	return rc < 0 ? rc : set_kernel_paths(g, err);
}

/* The disks in xl's order: a boot helper looks at the first. */
static void set_disks(struct guest *g)
{
	const struct create_options *o = &g->opt;
	bool split = o->layout == LAYOUT_SPLIT;
	struct guest_disk root = {
	        .role = "root",
	        .mountpoint = "/",
	        .device = o->disk,
	        .suffix = split ? "-root.img" : ".img",
	        .partitioned = !split,
	        .usual_label = split ? "NIXROOT" : "NIXOS",
	        .wanted_label = o->label,
	        .wanted_uuid = o->uuid,
	        .size_kind = o->size_kind,
	        .size = o->size,
	};
	struct guest_disk boot = {
	        .role = "boot",
	        .mountpoint = "/boot",
	        .device = o->boot_disk,
	        .suffix = "-boot.img",
	        .usual_label = "NIXBOOT",
	        .size_kind = SIZE_FIXED,
	        .size = o->boot_size,
	};

	if (split)
		g->disks[g->n_disks++] = boot;
	g->disks[g->n_disks++] = root;
	for (size_t i = 0; i < g->n_disks; i++)
		snprintf(g->disks[i].vdev, sizeof g->disks[i].vdev, "xvd%c", (char)('a' + i));
}

/* A domain of another architecture never starts; elsewhere one may be made. */
static int check_architecture(const struct guest *g, struct err *err)
{
	struct utsname host;
	struct str arch = str_from(g->system.system), rest = arch;
	bool on_xen = access("/proc/xen/capabilities", F_OK) == 0;

	arch = str_cut(&rest, '-');
	if (uname(&host) < 0 || !arch.n || str_is(arch, host.machine) ||
	    (str_is(arch, "i686") && strcmp(host.machine, "x86_64") == 0))
		return 0;
	if (on_xen && !g->opt.force)
		return err_set(err, ERR_UNSUPPORTED,
		               "%s is for %s, but this Xen host is %s; --force makes it anyway",
		               g->system.toplevel, g->system.system, host.machine);
	ui_warn("%s is for %s, but this host is %s", g->system.toplevel, g->system.system,
	        host.machine);
	return 0;
}

/* Check that xl would read exactly these values, whatever the paths are called. */
static int check_config(const struct guest *g, struct err *err)
{
	_cleanup_(xlcfg_guest_fini) struct xlcfg_guest read = {.n = 0};
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	int rc;

	guest_config(g, &text);
	rc = xlcfg_guest_parse(text.p, text.n, &read, err);
	if (rc < 0)
		return err_prefix(err, "%s: xl would refuse this config", g->cfg);
	for (size_t i = 0; i < g->n_disks; i++)
		if (i >= read.n || strcmp(read.v[i].path, g->disks[i].path) != 0)
			return err_set(err, ERR_USAGE,
			               "%s: this path cannot be written in an xl config; use one "
			               "without a newline, and without a comma at its end",
			               g->disks[i].path);
	return 0;
}

static int warn_of_secrets(const struct guest *g, struct err *err)
{
	bool some = false;
	int rc = secrets_in_files(g->source.files, g->system.toplevel, &some, err);

	if (rc == 0 && some)
		ui_warn("%s has boot.initrd.secrets: the guest starts without them until "
		        "\"nixos-rebuild boot\" in the guest has put them into an initrd",
		        g->system.toplevel);
	return rc;
}

static int settle(struct guest *g, struct err *err)
{
	int rc = check_kernel(g, err);

	if (rc < 0)
		return rc;
	guest_derive(g);
	set_channel(g);
	set_disks(g);
	rc = set_time(g, err);
	if (rc == 0)
		rc = check_architecture(g, err);
	if (rc == 0)
		rc = warn_of_secrets(g, err);
	if (rc == 0)
		rc = etc_place_find(g->source.files, &g->system, g->opt.initrd, &g->etc, err);
	if (rc == 0)
		rc = guest_expect(g, err);
	if (rc == 0)
		rc = guest_choose_type(g, err);
	if (rc == 0)
		rc = set_cmdline(g, err);
	if (rc == 0)
		rc = set_paths(g, err);
	return rc < 0 ? rc : check_config(g, err);
}

/* Unnamed temporary files are in the image's directory; a dry run writes nothing there. */
const char *guest_spool_dir(const struct create_options *opt)
{
	return opt->dry_run ? source_tmp("/tmp") : opt->output;
}

int guest_load(const struct create_options *opt, const atomic_bool *stop, struct guest *out,
               struct err *err)
{
	int rc;

	*out = (struct guest){.opt = *opt};
	rc = source_open(&out->source, &opt->source,
	                 &(struct source_request){.system = opt->system,
	                                          .spool_dir = guest_spool_dir(opt),
	                                          .stop = stop},
	                 err);
	if (rc == 0)
		rc = nixos_system_load_from(out->source.files, out->source.toplevel, &out->system,
		                            err);
	if (rc == 0)
		rc = settle(out, err);
	if (rc < 0)
		guest_fini(out);
	return rc;
}

void guest_fini(struct guest *g)
{
	source_fini(&g->source);
	nixos_system_fini(&g->system);
	free(g->dir);
	for (size_t i = 0; i < g->n_disks; i++) {
		free(g->disks[i].path);
		free(g->disks[i].label);
	}
	free(g->cfg);
	free(g->kernel);
	free(g->initrd);
	free(g->channel_copy);
	free(g->cmdline);
	*g = (struct guest){0};
}

void guest_config(const struct guest *g, struct buf *out)
{
	struct xl_disk disks[GUEST_DISKS_MAX];
	_free_ char *vif = xasprintf("mac=%s", g->mac);
	const char *one_vif[] = {vif};
	bool direct = g->opt.boot == BOOT_DIRECT;
	struct xlcfg cfg = {
	        .name = g->opt.domain_name ? g->opt.domain_name : g->opt.name,
	        .file = g->cfg,
	        .system = g->system.toplevel,
	        .uuid = g->domain_uuid,
	        .kernel = g->kernel,
	        .ramdisk = g->initrd,
	        .cmdline = direct ? g->cmdline : NULL,
	        .extra = direct ? NULL : g->cmdline,
	        .grub = g->opt.boot == BOOT_GRUB,
	        .bootloader = direct || g->opt.boot == BOOT_GRUB ? NULL
	                      : g->opt.boot == BOOT_PYGRUB       ? "pygrub"
	                                                         : "domgrub",
	        .disks = disks,
	        .n_disks = g->n_disks,
	};

	domain_config(&g->opt.domain, one_vif, &cfg);
	for (size_t i = 0; i < g->n_disks; i++)
		disks[i] = (struct xl_disk){.path = g->disks[i].path, .vdev = g->disks[i].vdev};
	xlcfg_format(&cfg, out);
}
