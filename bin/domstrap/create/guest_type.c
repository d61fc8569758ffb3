/* SPDX-License-Identifier: MIT */
/* Choosing pv or pvh by what this host's Xen and the guest's kernel support. */
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "create/create.h"
#include "inspector/inspector.h"
#include "host/xl.h"

static void choose(struct guest *g, enum xl_type type, const char *why)
{
	g->opt.domain.type = type;
	g->type_reason = why;
	ui_say("type %s: %s", type == XL_PVH ? "pvh" : "pv", why);
}

/* The kernel that would boot, to be read in a jail. */
static int open_kernel(const struct guest *g, struct disk_spec *out, struct err *err)
{
	if (g->opt.kernel)
		return disk_spec_open(g->opt.kernel, out, err);
	*out = (struct disk_spec){.sector = 512, .name = g->system.kernel};
	return store_files_open(g->source.files, g->system.kernel, &out->fd, &out->size, err);
}

/* 0, and whether its notes name an entry for PVH. */
static int kernel_starts_pvh(const struct guest *g, bool *out, struct err *err)
{
	_cleanup_(inspector_close) struct inspector_disks disks = {.n = 0};
	struct disk_spec *spec = &disks.host[INSPECTOR_HOST_KERNEL];
	json_t *seen = NULL;
	int rc = open_kernel(g, spec, err);

	if (rc < 0) {
		spec->name = NULL;
		return rc;
	}
	rc = inspector_run(&disks, INSPECTOR_KERNELS, &seen, err);
	if (rc == 0)
		*out = inspector_true(json_object_get(json_object_get(seen, "kernels"), spec->name),
		                      "pvh");
	json_decref(seen);
	return rc;
}

int guest_choose_type(struct guest *g, struct err *err)
{
	const struct domain_options *o = &g->opt.domain;
	struct xl_host host;
	bool pvh = false;
	int status = 0, rc;

	if (o->type_given && !o->type_auto)
		return 0;
	if (g->opt.boot == BOOT_GRUB) {
		choose(g, XL_PVH, "--boot grub starts PVH guests only");
		return 0;
	}
	if (!xl_is_here()) {
		if (o->type_auto)
			choose(g, XL_PV, "this host does not run Xen");
		return 0;
	}
	rc = xl_host(&host, &status, err);
	if (rc < 0)
		return rc;
	if (rc || status || !host.caps_known) {
		choose(g, XL_PV, "\"xl info\" does not show what this Xen supports");
		return 0;
	}
	if (!host.hvm || !host.hap) {
		choose(g, XL_PV, "this Xen lacks hvm or hap");
		return 0;
	}
	rc = kernel_starts_pvh(g, &pvh, err);
	if (rc == 0)
		choose(g, pvh ? XL_PVH : XL_PV,
		       pvh ? "this Xen has hvm and hap, and the kernel supports PVH"
		           : "the kernel does not support PVH");
	return rc;
}
