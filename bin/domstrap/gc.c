/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command.h"
#include "editor/editor.h"
#include "ui/json_out.h"
#include "nix/store_path.h"
#include "nixos/gc.h"
#include "host/guest_options.h"

#define DAY_S 86400

static const char intro[] =
        "usage: domstrap gc GUEST [options]\n\n"
        "Deletes the store paths that nothing in a guest that is off needs; with --keep\n"
        "or --older-than, old generations first. GUEST is its xl config, or its disks:\n"
        "images or block devices. What its menu or config can boot is kept.\n\n";

/* [int64_t] seconds */
static int option_older(const struct option_row *row, void *to, const char *text, struct err *err)
{
	uint64_t days;
	int64_t seconds;

	if (!str_u64(str_from(text), 10, row->number, &days))
		return err_set(err, ERR_USAGE,
		               "--older-than '%s': expected a number from 0 to %" PRIu64, text,
		               row->number);
	seconds = (int64_t)days * DAY_S;
	memcpy((char *)to + row->offset, &seconds, sizeof seconds);
	return 0;
}

struct gc_options {
	struct guest_options common;
	struct gc_rule rule;
};

static const struct option_row rows[] = {
        ROW_COUNT("keep", "delete all but the newest N generations", struct gc_options, rule.keep),
        {.name = "older-than",
         0,
         "DAYS",
         "delete generations that are DAYS old or older",
         option_older,
         offsetof(struct gc_options, rule.older_s),
         1000000},
        GUEST_DRY_RUN("print what would be deleted, write nothing"),
        GUEST_JSON("print what was deleted as JSON"),
        GUEST_LAST("more messages"),
};

static const struct option_set options = SET_OF_ROWS("gc", intro, rows);

/* ---- the report ----------------------------------------------------------- */

static void report_json(const struct gc *gc, const struct gc_options *req, FILE *out)
{
	json_t *o = json_out_new(), *gone = json_array(), *paths = json_array();
	json_t *stays = json_array();

	json_object_set_new(o, "dryRun", json_boolean(req->common.dry_run));
	for (size_t i = 0; i < gc->n_gone; i++)
		json_array_append_new(gone, json_integer(gc->gone[i]));
	for (size_t i = 0; i < gc->n_names; i++) {
		_free_ char *path = xasprintf(STORE_DIR "/%s", gc->names[i]);

		json_array_append_new(paths, json_string(path));
	}
	for (size_t i = 0; i < gc->roots.n_stays; i++) {
		json_t *one = json_object();

		json_object_set_new(one, "generation", json_integer(gc->roots.stays[i].number));
		json_object_set_new(one, "reason", json_string(gc->roots.stays[i].why));
		json_array_append_new(stays, one);
	}
	json_object_set_new(o, "generations", gone);
	json_object_set_new(o, "stays", stays);
	json_object_set_new(o, "paths", paths);
	json_object_set_new(o, "narBytes", json_integer((json_int_t)gc->nar_bytes));
	json_object_set_new(o, "diskBytes",
	                    req->common.dry_run ? json_null()
	                                        : json_integer((json_int_t)gc->disk_bytes));
	json_out_print(o, out);
}

static void report(const struct gc *gc, const struct gc_options *req, FILE *out)
{
	const char *would = req->common.dry_run ? "would delete" : "deleted";
	char size[16];

	if (req->common.json) {
		report_json(gc, req, out);
		return;
	}
	if (req->common.level < UI_NORMAL)
		return;
	for (size_t i = 0; i < gc->n_gone; i++)
		fprintf(out, "%s generation %u\n", would, gc->gone[i]);
	for (size_t i = 0; i < gc->roots.n_stays; i++)
		fprintf(out, "generation %u stays: %s\n", gc->roots.stays[i].number,
		        gc->roots.stays[i].why);
	for (size_t i = 0; i < gc->n_names; i++) {
		if (req->common.dry_run || req->common.level >= UI_VERBOSE)
			fprintf(out, "%s " STORE_DIR "/%s\n", would, gc->names[i]);
	}
	fprintf(out, "%s %zu store paths, %s\n", would, gc->n_names,
	        str_human(req->common.dry_run ? gc->nar_bytes : gc->disk_bytes, size));
}

static int work(struct editor *e, void *arg, struct err *err)
{
	const struct gc_options *req = arg;
	_cleanup_(gc_fini) struct gc gc = {.off = &e->off, .in = &e->in, .rule = req->rule};
	int rc = gc_plan(&gc, err);

	if (rc == 0 && !req->common.dry_run)
		rc = gc_commit(&gc, err);
	if (rc == 0)
		report(&gc, req, e->out);
	return rc;
}

int cmd_gc(int argc, char **argv)
{
	struct gc_options req = {.rule.older_s = -1};

	return editor_command(argc, argv, &options, &req.common, work);
}
