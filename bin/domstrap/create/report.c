/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "base/mem.h"
#include "create/create.h"
#include "ui/json_out.h"

static void set(json_t *o, const char *key, const char *value)
{
	json_object_set_new(o, key, value ? json_string(value) : json_null());
}

static void set_number(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void set_size_or_null(json_t *o, const char *key, bool known, uint64_t v)
{
	if (known)
		set_number(o, key, v);
	else
		set(o, key, NULL);
}

static void set_size(json_t *o, const char *key, const struct image_plan *plan, uint64_t v)
{
	set_size_or_null(o, key, plan->layout.groups, v);
}

/* How much --wipe clears beyond what is written, and the estimated time. */
static void set_wiped(json_t *o, const struct guest *g, const struct guest_disk *d)
{
	bool wiped = g->opt.wipe && d->device;

	set_size_or_null(o, "wipeBytes", wiped, d->wiped.bytes);
	set_size_or_null(o, "wipeSeconds", wiped, (uint64_t)(d->wiped.seconds + 0.5));
}

static json_t *disk_json(const struct guest *g, const struct guest_disk *d,
                         const struct image_plan *plan)
{
	json_t *o = json_object();
	char uuid[37];

	guest_uuid_text(d->uuid, uuid);
	set(o, "role", d->role);
	set(o, "path", d->path);
	set(o, "vdev", d->vdev);
	json_object_set_new(o, "device", json_boolean(d->device && !d->in_place));
	json_object_set_new(o, "inPlace", json_boolean(d->in_place));
	/* Sizes on disk of paths from a cache are known only after they were unpacked. */
	set_size(o, "size", plan, plan->size);
	set_size(o, "free", plan, plan->layout.free_blocks * EXT4_BLOCK);
	set(o, "label", d->label);
	set(o, "uuid", uuid);
	set_size(o, "inodes", plan, (uint64_t)plan->layout.groups * plan->layout.inodes_per_group);
	set_wiped(o, g, d);
	return o;
}

static void report_json(const struct guest *g, const struct image_plan *plans)
{
	json_t *o = json_out_new(), *disks = json_array();

	json_object_set_new(o, "dryRun", json_boolean(g->opt.dry_run));
	set(o, "name", g->opt.domain_name ? g->opt.domain_name : g->opt.name);
	set(o, "type", g->opt.domain.type == XL_PVH ? "pvh" : "pv");
	set(o, "typeReason", g->type_reason);
	set(o, "system", g->system.toplevel);
	set(o, "version", g->system.version);
	set_number(o, "paths", g->source.closure.n);
	set_number(o, "narBytes", closure_nar_size(&g->source.closure));
	for (size_t i = 0; i < g->n_disks; i++)
		json_array_append_new(disks, disk_json(g, &g->disks[i], &plans[i]));
	json_object_set_new(o, "disks", disks);
	set(o, "config", g->cfg);
	set(o, "kernel", g->kernel);
	set(o, "initrd", g->initrd);
	set(o, "cmdline", g->cmdline);
	json_out_print(o, stdout);
}

void guest_report(const struct guest *g, const struct image_plan *plans)
{
	char size[16], spare[16];

	if (g->opt.json) {
		report_json(g, plans);
		return;
	}
	if (g->opt.level < UI_NORMAL)
		return;
	printf("%s ", g->opt.dry_run ? "would make" : "made");
	for (size_t i = 0; i < g->n_disks; i++)
		if (!plans[i].layout.groups)
			printf("%s (size known after fetching), ", g->disks[i].path);
		else
			printf("%s (%s, %s free), ", g->disks[i].path,
			       str_human(plans[i].size, size),
			       str_human(plans[i].layout.free_blocks * EXT4_BLOCK, spare));
	printf("%s; start it with: xl create -c %s\n", g->cfg, g->cfg);
}
