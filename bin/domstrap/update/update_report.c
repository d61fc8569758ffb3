/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/mem.h"
#include "ui/json_out.h"
#include "update/update_in.h"

/* Whether the trial of another generation is over. */
static bool ended(const struct update *u)
{
	return u->req.system && u->ended && u->ended != u->number;
}

static json_t *differences_json(const struct differences *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->n; i++) {
		const struct difference *x = &d->v[i];
		json_t *o = json_object();

		json_object_set_new(o, "package", json_string(x->name));
		json_object_set_new(o, "before", x->before ? json_string(x->before) : json_null());
		json_object_set_new(o, "after", x->after ? json_string(x->after) : json_null());
		json_array_append_new(list, o);
	}
	return list;
}

static void report_json(const struct update *u)
{
	json_t *o = json_out_new(), *paths = json_array();

	json_object_set_new(o, "dryRun", json_boolean(u->req.common.dry_run));
	json_object_set_new(o, "diskBytes",
	                    json_integer((json_int_t)(u->e->off.root.base + u->e->off.root.size)));
	json_object_set_new(
	        o, "bootDiskBytes",
	        u->e->off.separate_boot
	                ? json_integer((json_int_t)(u->e->off.boot.base + u->e->off.boot.size))
	                : json_null());
	json_object_set_new(o, "generation", u->req.system ? json_integer(u->number) : json_null());
	json_object_set_new(o, "system",
	                    u->req.system ? json_string(u->system.toplevel) : json_null());
	json_object_set_new(o, "trial", json_boolean(u->req.try));
	json_object_set_new(o, "endedTrial", ended(u) ? json_integer(u->ended) : json_null());
	json_object_set_new(o, "version",
	                    u->req.system ? json_string(u->system.version) : json_null());
	json_object_set_new(o, "addedBytes", json_integer((json_int_t)u->bytes));
	for (size_t i = 0; i < u->from.n_items; i++) {
		_free_ char *path = xasprintf("/nix/store/%s", u->from.items[i].name);

		json_array_append_new(paths, json_string(path));
	}
	json_object_set_new(o, "addedPaths", paths);
	json_object_set_new(o, "differences", differences_json(&u->diff));
	json_out_print(o, u->e->out);
}

static void report_size(const struct update *u, const struct off_guest_fs *fs,
                        const struct size_wish *wish)
{
	char size[16], spare[16];

	str_human(fs->base + fs->size, size);
	if (wish->kind == WISH_NONE)
		return;
	if (u->req.common.dry_run)
		fprintf(u->e->out, "would enlarge %s to %s\n", fs->target->name, size);
	else
		fprintf(u->e->out, "%s: %s, %s free\n", fs->target->name, size,
		        str_human(ext4_edit_free_bytes(fs->edit), spare));
}

/* Names are store paths' and versions, too: they have no characters to escape. */
static void print_differences(const struct differences *d, FILE *out)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct difference *x = &d->v[i];

		if (!x->before)
			fprintf(out, "  + %s %s\n", x->name, x->after);
		else if (!x->after)
			fprintf(out, "  - %s %s\n", x->name, x->before);
		else
			fprintf(out, "    %s: %s -> %s\n", x->name, x->before, x->after);
	}
}

void update_report(const struct update *u)
{
	char size[16];

	if (u->req.common.json) {
		report_json(u);
		return;
	}
	if (u->req.common.level < UI_NORMAL)
		return;
	report_size(u, &u->e->off.root, &u->root_wish);
	report_size(u, &u->e->off.boot, &u->boot_wish);
	if (!u->req.system)
		return;
	fprintf(u->e->out, "%sgeneration %u: %s, %zu paths added (%s)%s\n",
	        u->req.common.dry_run ? "would make " : "", u->number, u->system.toplevel,
	        u->from.n_items, str_human(u->bytes, size),
	        u->req.try ? "; on trial at the next start" : "");
	if (ended(u))
		fprintf(u->e->out, "%s the trial of generation %u\n",
		        u->req.common.dry_run ? "would end" : "ended", u->ended);
	print_differences(&u->diff, u->e->out);
}
