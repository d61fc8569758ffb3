/* SPDX-License-Identifier: MIT */
/* Facts that only Xen can tell are "unknown" on a host that does not run Xen. */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "host/busy.h"
#include "check/check.h"
#include "ext4/target.h"
#include "guest/host.h"
#include "host/xl.h"

#define BRIDGE_DEFAULT "xenbr0"

static void check_xen(struct findings *out)
{
	unsigned v = host_xen_version();

	if (xl_is_here())
		findings_add(out, FINDING_OK, "xen", "Xen", "", "this host runs Xen %u.%u", v >> 16,
		             v & 0xffff);
	else if (v || access("/proc/xen", F_OK) == 0)
		findings_add(out, FINDING_UNKNOWN, "xen", "Xen",
		             "run this in dom0; if this is dom0, mount xenfs: mount -t xenfs xenfs "
		             "/proc/xen",
		             "this domain cannot start guests");
	else
		findings_add(out, FINDING_UNKNOWN, "xen", "Xen", "run this on the Xen host",
		             "this host does not run Xen");
}

static void check_memory(const struct xl_host *host, const struct arguments *a,
                         struct findings *out)
{
	uint64_t wanted = a->cfg.memory;

	if (!a->config || !wanted || !host->memory_known)
		return;
	if (host->unused_mib < wanted)
		findings_add(out, FINDING_WARNING, "memory", "memory",
		             "free some of dom0's with \"xl mem-set 0\"; with autoballoon xl does "
		             "so itself",
		             "%" PRIu64 " MiB are free, the config asks for %" PRIu64 " MiB",
		             host->unused_mib, wanted);
	else
		findings_add(out, FINDING_OK, "memory", "memory", "",
		             "%" PRIu64 " MiB are free, the config asks for %" PRIu64 " MiB",
		             host->unused_mib, wanted);
}

/* What this Xen and this processor can do for guests of a type. */
static void check_type(const struct xl_host *host, const struct arguments *a, struct findings *out)
{
	const char *type = a->cfg.type ? a->cfg.type : "pv";
	bool pv = !strcmp(type, "pv"), pvh = host->hvm && host->hap;

	if (!host->caps_known || !a->config)
		return;
	if (!pv && !host->hvm)
		findings_add(out, FINDING_ERROR, "type", type,
		             "turn on VT-x or AMD-V in the firmware, or set type = \"pv\"",
		             "this Xen has no hvm in virt_caps of \"xl info\"");
	else if (!pv && !host->hap && !host->shadow)
		findings_add(out, FINDING_ERROR, "type", type, "set type = \"pv\" in the config",
		             "this Xen has neither hap nor shadow in virt_caps of \"xl info\"");
	else if (pv && !host->shadow)
		findings_add(out, FINDING_WARNING, "type", type,
		             pvh ? "set type = \"pvh\" in the config, or create the guest with "
		                   "--type pvh"
		                 : "use a Xen built with shadow paging",
		             "this Xen has no shadow paging: a PV guest runs, but cannot be "
		             "migrated live, and Xen's L1TF mitigation for PV guests is missing");
	else
		findings_add(out, FINDING_OK, "type", type, "", "this Xen supports it");
}

static void check_xl(const struct arguments *a, struct findings *out)
{
	struct err err = ERR_INIT;
	struct xl_host host;
	int status, rc = xl_host(&host, &status, &err);

	if (rc == 0 && status == 0) {
		findings_add(out, FINDING_OK, "xl", "xl", "", "answers%s%s",
		             *host.version ? ": Xen " : "", host.version);
		check_memory(&host, a, out);
		check_type(&host, a, out);
		return;
	}
	if (rc < 0)
		findings_add(out, FINDING_ERROR, "xl", "xl", "", "%s", err.text);
	else if (rc == 1)
		findings_add(out, xl_is_here() ? FINDING_ERROR : FINDING_UNKNOWN, "xl", "xl",
		             "install xen-utils", "not found");
	else
		findings_add(out, xl_is_here() ? FINDING_ERROR : FINDING_UNKNOWN, "xl", "xl",
		             "start xencommons, or xenstored", "\"xl info\" fails (status %d)",
		             status);
}

/* As libxl looks for a bare name: its own programs' directory, then PATH. */
static char *find_bootloader(const char *name)
{
	static const char *const dirs[] = {"/usr/lib/xen*/bin", "/usr/libexec/xen*/bin",
	                                   "/usr/lib/xen*/libexec/bin", "/usr/local/lib/xen/bin"};
	const char *path = getenv("PATH");
	struct str rest = str_from(path ? path : "");

	if (*name == '/')
		return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		_free_ char *pattern = xasprintf("%s/%s", dirs[i], name);
		char *found = NULL;
		glob_t g;

		if (glob(pattern, 0, NULL, &g) != 0)
			continue;
		for (size_t k = 0; k < g.gl_pathc && !found; k++)
			if (access(g.gl_pathv[k], X_OK) == 0)
				found = xstrdup(g.gl_pathv[k]);
		globfree(&g);
		if (found)
			return found;
	}
	while (rest.p) {
		struct str dir = str_cut(&rest, ':');
		_free_ char *at = xasprintf("%.*s/%s", STR_ARG(dir), name);

		if (dir.n && access(at, X_OK) == 0)
			return take(&at);
	}
	return NULL;
}

static void check_bootloader(const struct arguments *a, struct findings *out)
{
	const char *name = a->cfg.bootloader;
	_free_ char *found = NULL;

	if (!name)
		return;
	found = find_bootloader(name);
	if (found)
		findings_add(out, FINDING_OK, "bootloader", name, "", "found at %s", found);
	else
		findings_add(out, *name == '/' || xl_is_here() ? FINDING_ERROR : FINDING_UNKNOWN,
		             "bootloader", name, "install it, or correct bootloader= in the config",
		             *name == '/' ? "not found, or not executable"
		                          : "not found where xl looks: in Xen's own program "
		                            "directory, then in PATH");
}

static void check_bridges(const struct arguments *a, struct findings *out)
{
	for (size_t i = 0; i < a->cfg.n_vifs; i++) {
		struct str said = xlcfg_vif_get(a->cfg.vifs[i], "bridge");
		struct str backend = xlcfg_vif_get(a->cfg.vifs[i], "backend");
		_free_ char *name = said.n ? xstrndup(said.p, said.n) : xstrdup(BRIDGE_DEFAULT);
		_free_ char *path = NULL;

		if (!xlcfg_is_dom0(backend)) {
			findings_add(out, FINDING_UNKNOWN, "bridge", name, "",
			             "in the domain %.*s, not on this host", STR_ARG(backend));
			continue;
		}
		path = xasprintf("/sys/class/net/%s", name);
		if (access(path, F_OK) == 0)
			findings_add(out, FINDING_OK, "bridge", name, "", "found");
		else
			findings_add(out, xl_is_here() ? FINDING_ERROR : FINDING_UNKNOWN, "bridge",
			             name, "create it, or set another with bridge= in vif",
			             "no such bridge on this host");
	}
}

/* -ERR_BUSY: by a guest, by a loop device, or by a program that has locked it. */
static int in_use(char *path, struct err *err)
{
	struct target t = TARGET_INIT;
	int rc = busy_check(&path, 1, err);

	if (rc < 0)
		return rc;
	rc = target_open_existing(&t, path, true, err);
	target_fini(&t);
	return rc;
}

/* Findings name their subject themselves. */
static const char *without_name(const char *text, const char *path)
{
	size_t n = strlen(path);

	return strncmp(text, path, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text;
}

static void check_disks(const struct arguments *a, struct findings *out)
{
	for (size_t i = 0; i < a->n; i++) {
		struct err err = ERR_INIT;
		char *path = a->v[i].path;

		if (!a->v[i].raw)
			findings_add(out, FINDING_UNKNOWN, "disk", path, "", "not checked: %s",
			             a->v[i].why);
		else if (access(path, F_OK) < 0)
			findings_add(out, FINDING_ERROR, "disk", path,
			             "correct disk= in the config", "not found");
		else if (in_use(path, &err) < 0)
			findings_add(out,
			             err.sys_errno == EACCES || err.sys_errno == EPERM
			                     ? FINDING_UNKNOWN
			                     : FINDING_ERROR,
			             "disk", path, "", "%s", without_name(err.text, path));
		else
			findings_add(out, FINDING_OK, "disk", path, "", "found, and not in use");
	}
}

/* CDs are for the firmware and the guest: nothing in them is read here. */
static void check_cds(const struct arguments *a, struct findings *out)
{
	for (size_t i = 0; i < a->cfg.n; i++) {
		const struct xl_disk_spec *d = &a->cfg.v[i];
		_free_ char *path = NULL;
		char why[128];

		if (!d->cdrom || !*d->path || !xlcfg_disk_is_raw(d, why, sizeof why))
			continue;
		path = xlcfg_path(a->config, d->path);
		if (access(path, F_OK) < 0)
			findings_add(out, FINDING_ERROR, "disk", path,
			             "correct disk= in the config", "is not there");
		else
			findings_add(out, FINDING_OK, "disk", path, "", "CD-ROM image found");
	}
}

/*
 * What xl refuses in a config that it can parse, and what it understands differently than it looks.
 */
static void check_config(const struct arguments *a, struct findings *out)
{
	const struct xlcfg_guest *g = &a->cfg;
	bool hvm = g->type && !strcmp(g->type, "hvm");

	if (!a->config)
		return;
	if (!g->name)
		findings_add(out, FINDING_ERROR, "config", a->config, "add name= to the config",
		             "has no name=: xl does not start it");
	if (!hvm && !g->bootloader && !g->kernel && !g->firmware && !a->grub)
		findings_add(out, FINDING_ERROR, "config", a->config,
		             "bootloader = \"domgrub\", or kernel= and ramdisk=",
		             "has neither bootloader= nor kernel=: xl does not start it");
	if (!hvm && g->guest_kernel)
		findings_add(out, FINDING_WARNING, "config", g->guest_kernel,
		             "remove kernel= or bootloader= from the config",
		             "beside bootloader=, kernel= is a path in the guest that the boot "
		             "helper loads");
	if (a->grub && (!g->type || strcmp(g->type, "pvh") != 0))
		findings_add(out, FINDING_ERROR, "kernel", a->grub,
		             "set type = \"pvh\" in the config",
		             "GRUB for PVH guests, but the config's type is %s",
		             g->type ? g->type : "pv");
	else if (a->grub)
		findings_add(out, FINDING_OK, "kernel", a->grub, "",
		             "GRUB, which reads the boot menu inside the guest");
}

void check_host(const struct arguments *a, struct findings *out)
{
	check_xen(out);
	check_xl(a, out);
	check_bootloader(a, out);
	check_config(a, out);
	check_bridges(a, out);
	check_disks(a, out);
	check_cds(a, out);
}
