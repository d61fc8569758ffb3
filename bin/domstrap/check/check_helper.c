/* SPDX-License-Identifier: MIT */
/* libxl gives a boot helper the first disk of the config and no other, whatever it is. */
#include <string.h>

#include "base/mem.h"
#include "check/check.h"

#define REMEDY                                                                                     \
	"put the disk with the boot menu first in disk=, or pass it to domgrub: "                  \
	"bootloader_args = [ \"--disk=PATH\" ]"

struct helper_disks {
	const char *v[ARGUMENTS_DISKS_MAX];
	size_t n;
};

static void add(struct helper_disks *h, const char *path)
{
	if (h->n < ARGUMENTS_DISKS_MAX)
		h->v[h->n++] = path;
}

static void collect(const struct xlcfg_guest *g, const char *first, struct helper_disks *out)
{
	add(out, first);
	for (size_t i = 0; i < g->n_bootloader_args; i++) {
		const char *arg = g->bootloader_args[i];

		if (!strncmp(arg, "--disk=", strlen("--disk=")))
			add(out, arg + strlen("--disk="));
		else if (!strcmp(arg, "--disk") && i + 1 < g->n_bootloader_args)
			add(out, g->bootloader_args[++i]);
	}
}

/* 1: one of them cannot be opened, which *err says. */
static int look_at(const struct helper_disks *h, json_t **out, struct err *err)
{
	_cleanup_(inspector_close) struct inspector_disks disks = {.n = 0};

	for (size_t i = 0; i < h->n; i++) {
		if (disk_spec_open(h->v[i], &disks.spec[i], err) < 0)
			return 1;
		disks.n++;
	}
	return inspector_run(&disks, 0, out, err);
}

/* Why the entry that boots by default does not; "" where it does. */
static const char *default_error(const json_t *entries)
{
	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *e = json_array_get(entries, i);
		const json_t *below = json_object_get(e, "entries");

		if (inspector_true(e, "default"))
			return json_is_array(below) ? default_error(below)
			                            : inspector_text(e, "error");
	}
	return "";
}

/* seen: NULL, and why is unseen. */
static void report(const struct xl_disk_spec *first, const json_t *seen, const char *unseen,
                   struct findings *out)
{
	const json_t *menu = json_object_get(seen, "menu");
	const char *why = json_is_object(menu) ? default_error(json_object_get(menu, "entries"))
	                  : seen               ? inspector_text(seen, "menuError")
	                                       : unseen;

	if (json_is_object(menu) && !*why)
		findings_add(out, FINDING_OK, "helper", first->path, "",
		             "the first disk; the boot helper finds the boot menu");
	else
		findings_add(out, FINDING_ERROR, "helper", first->path, REMEDY,
		             "the first disk%s, the only one that xl passes to the boot helper, "
		             "which cannot boot from it: %s",
		             first->cdrom ? ", a CD-ROM" : "", *why ? why : "no boot menu");
}

int check_helper(const struct arguments *a, struct findings *out, struct err *err)
{
	const struct xlcfg_guest *g = &a->cfg;
	const struct xl_disk_spec *first = g->v;
	struct helper_disks h = {.n = 0};
	struct err why = ERR_INIT;
	json_t *seen = NULL;
	int rc;

	if (!g->bootloader || !g->n || (g->type && !strcmp(g->type, "hvm")))
		return 0;
	/*
	 * libxl attaches a disk in another format to dom0 first. With one disk the rest is reported
	 * already.
	 */
	if (!first->cdrom && (!a->v[0].raw || g->n == 1))
		return 0;
	collect(g, first->cdrom ? first->path : a->v[0].path, &h);
	rc = look_at(&h, &seen, &why);
	if (rc < 0)
		*err = why;
	else
		report(first, seen, why.text, out);
	json_decref(seen);
	return rc < 0 ? rc : 0;
}
