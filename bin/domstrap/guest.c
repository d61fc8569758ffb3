/* SPDX-License-Identifier: MIT */
/*
 * What a guest is made of, before anything is written: the system and its
 * closure, where the system expects its root, who the guest is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "create.h"
#include "image/ext4_finish.h"
#include "nix/channel.h"
#include "nix/fstab.h"
#include "nix/hash.h"

#define FSTAB_MAX (1u << 20)
#define CMDLINE_PV_MAX 1023u /* Xen's start info has 1024 bytes for it */
#define EPOCH_MAX 0x37fffffffll /* what ext4's time stamps hold */

/* ---- who the guest is ----------------------------------------------------- */

/*
 * Bytes that depend on the guest's name and system alone: the same guest made
 * again is the same, and two guests of one system share nothing.
 */
static void derive(const struct guest *g, const char *what, uint8_t out[HASH_SHA256_LEN])
{
	struct buf b = BUF_INIT;
	const char *parts[] = {"domstrap", what, g->opt.name, g->system.toplevel};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_put(&b, parts[i], strlen(parts[i]) + 1);
	sha256_of(b.p, b.n, out);
	buf_fini(&b);
}

/* RFC 9562, version 8: bits of our own making. */
static void derive_uuid(const struct guest *g, const char *what, uint8_t out[16])
{
	uint8_t hash[HASH_SHA256_LEN];

	derive(g, what, hash);
	memcpy(out, hash, 16);
	out[6] = (uint8_t)((out[6] & 0x0f) | 0x80);
	out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
}

void guest_uuid_text(const uint8_t uuid[16], char out[static 37])
{
	char *at = out;

	for (unsigned i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		at += sprintf(at, "%02x", uuid[i]);
	}
}

static bool uuid_parse(struct str s, uint8_t out[16])
{
	if (s.n != 36)
		return false;
	for (unsigned i = 0, at = 0; i < 16; i++, at += 2) {
		uint64_t v;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && s.p[at++] != '-')
			return false;
		if (!str_u64((struct str){s.p + at, 2}, 16, 255, &v))
			return false;
		out[i] = (uint8_t)v;
	}
	return true;
}

static void derive_rest(struct guest *g)
{
	uint8_t hash[HASH_SHA256_LEN], uuid[16];

	derive_uuid(g, "domain", uuid);
	guest_uuid_text(uuid, g->domain_uuid);
	derive(g, "mac", hash);
	/* 00:16:3e is Xen's own prefix. */
	snprintf(g->mac, sizeof g->mac, "00:16:3e:%02x:%02x:%02x", hash[0] & 0x7f, hash[1],
		 hash[2]);
	derive(g, "disk", hash);
	g->disk_id = (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 |
		     (hash[3] | 1);
}

/* ---- where the system expects its root ------------------------------------ */

/* "/dev/xvdb1" is partition 1 of disk xvdb. */
static bool vdev_of(struct str device, char out[8])
{
	struct str s = str_drop(device, strlen("/dev/"));

	if (!str_starts(device, "/dev/xvd") || s.n != 5 || s.p[3] < 'a' || s.p[3] > 'z' ||
	    s.p[4] != '1')
		return false;
	snprintf(out, 8, "xvd%c", s.p[3]);
	return true;
}

static void expect_device(struct guest *g, const struct fstab_entry *root)
{
	if (!vdev_of(root->value, g->vdev))
		ui_warn("the system expects its root on %.*s; in this image it is /dev/%s1",
			STR_ARG(root->value), g->vdev);
}

static int expect_label(struct guest *g, const struct fstab_entry *root, struct err *err)
{
	if (!g->opt.label) {
		if (root->value.n > EXT4_LABEL_MAX)
			return err_set(err, ERR_UNSUPPORTED,
				       "the system expects its root labelled '%.*s', ext4 has "
				       "labels of up to %d bytes",
				       STR_ARG(root->value), EXT4_LABEL_MAX);
		free(g->label);
		g->label = xstrndup(root->value.p, root->value.n);
	} else if (!str_is(root->value, g->opt.label)) {
		ui_warn("the system expects its root labelled '%.*s', --label says '%s'",
			STR_ARG(root->value), g->opt.label);
	}
	return 0;
}

static int expect_uuid(struct guest *g, const struct fstab_entry *root, struct err *err)
{
	uint8_t want[16];

	if (!uuid_parse(root->value, want)) {
		ui_warn("the system expects its root by UUID '%.*s', which is none of ext4's",
			STR_ARG(root->value));
		return 0;
	}
	if (!g->opt.uuid)
		memcpy(g->uuid, want, 16);
	else if (memcmp(g->uuid, want, 16) != 0)
		ui_warn("the system expects its root by UUID %.*s, --uuid says %s",
			STR_ARG(root->value), g->opt.uuid);
	(void)err;
	return 0;
}

/*
 * Label, UUID and device as the system's own fstab names them, where the user
 * did not say otherwise.
 */
static int expect_root(struct guest *g, struct err *err)
{
	_free_ char *path = xasprintf("%s%s/etc/fstab", local_store_root(g->store),
				      g->system.toplevel);
	struct buf text = BUF_INIT;
	struct fstab_entry root;
	struct err missing = ERR_INIT;
	int rc = 0;

	if (io_read_file(AT_FDCWD, path, FSTAB_MAX, &text, &missing) < 0) {
		ui_detail("%s; the root is taken to be /dev/%s1", missing.text, g->vdev);
	} else if (!fstab_find(buf_str(&text), "/", &root)) {
		ui_detail("%s names no root; it is taken to be /dev/%s1", path, g->vdev);
	} else {
		if (!str_is(root.type, "ext4") && !str_is(root.type, "auto"))
			ui_warn("the system expects a root of type %.*s; this one is ext4",
				STR_ARG(root.type));
		if (root.by == FSTAB_LABEL)
			rc = expect_label(g, &root, err);
		else if (root.by == FSTAB_UUID)
			rc = expect_uuid(g, &root, err);
		else
			expect_device(g, &root);
	}
	buf_fini(&text);
	return rc;
}

/* ---- the rest ------------------------------------------------------------- */

static int set_time(struct guest *g, struct err *err)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	uint64_t v;

	g->time = 1;
	if (!text || !*text)
		return 0;
	if (!str_u64(str_from(text), 10, EPOCH_MAX, &v) || v == 0)
		return err_set(err, ERR_USAGE, "SOURCE_DATE_EPOCH '%s': seconds from 1 to %lld",
			       text, EPOCH_MAX);
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

static bool has_param(const struct nixos_system *s, const char *param)
{
	for (size_t i = 0; i < s->nparams; i++)
		if (strcmp(s->params[i], param) == 0)
			return true;
	return false;
}

/*
 * Direct: all that the kernel is to get. With a boot helper: what it shall add
 * to what the guest's own menu says.
 */
static int set_cmdline(struct guest *g, struct err *err)
{
	bool console = has_param(&g->system, "console=hvc0");
	struct buf b = BUF_INIT;

	if (g->opt.boot != BOOT_DIRECT) {
		g->cmdline = console ? NULL : xstrdup("console=hvc0");
		return 0;
	}
	buf_putf(&b, "init=%s", g->system.init);
	if (!console)
		buf_puts(&b, " console=hvc0");
	for (size_t i = 0; i < g->system.nparams; i++)
		buf_putf(&b, " %s", g->system.params[i]);
	g->cmdline = buf_steal(&b);
	if (g->opt.type == XL_PV && strlen(g->cmdline) > CMDLINE_PV_MAX)
		return err_set(err, ERR_LIMIT,
			       "the kernel command line has %zu bytes, a PV guest gets %u of them",
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
			       "%s has no kernel of its own; give it one of the host with --boot "
			       "direct --kernel FILE (and --initrd FILE)",
			       g->system.toplevel);
	if (!g->system.initrd && o->boot != BOOT_DIRECT)
		return err_set(err, ERR_USAGE,
			       "%s has no initrd, so NixOS makes no menu entry for it; --boot "
			       "direct starts it all the same",
			       g->system.toplevel);
	return 0;
}

static int set_paths(struct guest *g, struct err *err)
{
	const struct create_options *o = &g->opt;

	if (check_kernel(g, err) < 0)
		return -(int)err->code;
	g->dir = absolute(o->output, err);
	if (!g->dir)
		return -(int)err->code;
	g->image = o->disk ? absolute(o->disk, err) : xasprintf("%s/%s.img", g->dir, o->name);
	if (!g->image)
		return -(int)err->code;
	g->cfg = xasprintf("%s/%s.cfg", g->dir, o->name);
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
			       "%s is for %s, this Xen host is %s (--force makes it all the same)",
			       g->system.toplevel, g->system.system, host.machine);
	ui_warn("%s is for %s, this host is %s", g->system.toplevel, g->system.system,
		host.machine);
	return 0;
}

static int settle(struct guest *g, struct err *err)
{
	int rc;

	snprintf(g->vdev, sizeof g->vdev, "xvda");
	g->label = xstrdup(g->opt.label ? g->opt.label : "NIXOS");
	derive_uuid(g, "root", g->uuid);
	if (g->opt.uuid && !uuid_parse(str_from(g->opt.uuid), g->uuid))
		return err_set(err, ERR_USAGE, "--uuid '%s': not a UUID", g->opt.uuid);
	derive_rest(g);
	set_channel(g);
	rc = set_time(g, err);
	if (rc == 0)
		rc = check_architecture(g, err);
	if (rc == 0)
		rc = expect_root(g, err);
	if (rc == 0)
		rc = set_cmdline(g, err);
	return rc < 0 ? rc : set_paths(g, err);
}

int guest_load(const struct create_options *opt, struct guest *out, struct err *err)
{
	int rc;

	*out = (struct guest){.opt = *opt};
	rc = local_store_open(opt->from, &out->store, err);
	if (rc == 0)
		rc = nixos_system_load(opt->from, opt->system, &out->system, err);
	if (rc == 0)
		rc = local_store_closure(out->store, out->system.toplevel, &out->closure, err);
	if (rc == 0)
		rc = settle(out, err);
	if (rc < 0)
		guest_fini(out);
	return rc;
}

void guest_fini(struct guest *g)
{
	local_store_free(g->store);
	nixos_system_fini(&g->system);
	closure_fini(&g->closure);
	free(g->dir);
	free(g->image);
	free(g->cfg);
	free(g->kernel);
	free(g->initrd);
	free(g->label);
	free(g->channel_copy);
	free(g->cmdline);
	*g = (struct guest){0};
}

void guest_config(const struct guest *g, struct buf *out)
{
	struct xl_disk disk = {.path = g->image, .vdev = g->vdev};
	_free_ char *vif = xasprintf("mac=%s", g->mac);
	const char *one_vif[] = {vif};
	const struct text_list *vifs = &g->opt.vifs;
	bool direct = g->opt.boot == BOOT_DIRECT;
	struct xlcfg cfg = {
		.name = g->opt.domain ? g->opt.domain : g->opt.name,
		.file = g->cfg,
		.system = g->system.toplevel,
		.type = g->opt.type,
		.uuid = g->domain_uuid,
		.memory = g->opt.memory,
		.vcpus = g->opt.vcpus,
		.kernel = g->kernel,
		.ramdisk = g->initrd,
		.cmdline = g->cmdline,
		.bootloader = direct		       ? NULL
			      : g->opt.boot == BOOT_PYGRUB ? "pygrub"
							   : "domgrub",
		.disks = &disk,
		.n_disks = 1,
		.vifs = vifs->n ? vifs->items : one_vif,
		.n_vifs = g->opt.no_vif ? 0 : vifs->n ? vifs->n : 1,
		.set = g->opt.set.items,
		.n_set = g->opt.set.n,
	};

	xlcfg_format(&cfg, out);
}
