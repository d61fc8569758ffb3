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
#include "nixos/change.h"
#include "nixos/follow.h"
#include "nixos/gc_roots.h"
#include "host/guest_options.h"

#define DAY_S 86400
#define LINKS ".links" /* of a store with optimised (hard-linked) files */

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
	unsigned keep;   /* generations at least; 0: not given */
	int64_t older_s; /* seconds; -1: not given */
};

static const struct option_row rows[] = {
        ROW_COUNT("keep", "delete all but the newest N generations", struct gc_options, keep),
        {.name = "older-than",
         0,
         "DAYS",
         "delete generations that are DAYS old or older",
         option_older,
         offsetof(struct gc_options, older_s),
         1000000},
        GUEST_DRY_RUN("print what would be deleted, write nothing"),
        GUEST_JSON("print what was deleted as JSON"),
        GUEST_LAST("more messages"),
};

static const struct option_set options = SET_OF_ROWS("gc", intro, rows);

struct gc {
	const struct gc_options *req;
	struct off_guest *off;
	struct guest_state *in;
	FILE *out;
	struct gc_roots roots; /* systems that can be booted */
	unsigned *gone;        /* generation numbers */
	size_t n_gone;
	bool *live; /* per path of the database */
	size_t dead;
	char **names; /* names in /nix/store that are deleted */
	size_t n_names, names_cap;
	uint64_t nar_bytes, disk_bytes;
};

static void gc_fini(struct gc *gc)
{
	for (size_t i = 0; i < gc->n_names; i++)
		free(gc->names[i]);
	free(gc->names);
	free(gc->gone);
	free(gc->live);
	gc_roots_fini(&gc->roots);
}

/* ---- what goes ------------------------------------------------------------ */

static bool goes(const struct gc *gc, const struct profile *p, size_t i)
{
	const struct generation *g = &p->v[i];

	if (g->current)
		return false;
	if (gc->req->keep && i + gc->req->keep < p->n)
		return true;
	return gc->req->older_s >= 0 && g->time <= gc->off->now - gc->req->older_s;
}

/* Remove them from the list, too. */
static int choose_generations(struct gc *gc, struct err *err)
{
	struct profile *p = &gc->in->profiles[0];
	_free_ bool *drop = xcalloc(p->n + 1, sizeof *drop);
	size_t kept = 0;
	int rc;

	gc->gone = xcalloc(p->n + 1, sizeof *gc->gone);
	for (size_t i = 0; i < p->n; i++)
		drop[i] = goes(gc, p, i);
	rc = gc_roots_find(gc->off, gc->in, drop, &gc->roots, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < p->n; i++) {
		if (!drop[i]) {
			p->v[kept++] = p->v[i];
			continue;
		}
		gc->gone[gc->n_gone++] = p->v[i].number;
		guest_system_fini(&p->v[i].system);
	}
	p->n = kept;
	return 0;
}

static int mark(struct gc *gc, struct err *err)
{
	const struct profile *p = &gc->in->profiles[0];
	int rc;

	gc->live = xcalloc(gc->in->db.n + 1, sizeof *gc->live);
	for (size_t i = 0; i < p->n; i++)
		guest_state_reach(&gc->in->db, p->v[i].system.toplevel, gc->live);
	for (size_t i = 0; i < gc->roots.n; i++)
		guest_state_reach(&gc->in->db, gc->roots.paths[i], gc->live);
	rc = guest_state_roots(gc->off, gc->in, true, gc->live, err);
	for (size_t i = 0; i < gc->in->db.n; i++) {
		if (gc->live[i])
			continue;
		gc->dead++;
		gc->nar_bytes += gc->in->db.paths[i].nar_size;
	}
	return rc;
}

static bool keeps(const struct gc *gc, const char *name)
{
	_free_ char *path = xasprintf(STORE_DIR "/%s", name);
	const struct path_info *p = closure_find(&gc->in->db, path);
	struct store_path sp;

	if (p)
		return gc->live[p - gc->in->db.paths];
	/* Not registered: left by an interrupted build, or not a store path's name. */
	return gc_roots_have(&gc->roots, path) || !store_path_is_base(str_from(name), &sp);
}

static int list_names(struct gc *gc, struct err *err)
{
	const struct ext4_entry *v;
	uint32_t dir;
	size_t n;
	int rc = ext4_edit_find(gc->off->root.edit, STORE_DIR, true, &dir, err);

	if (rc == 0)
		rc = ext4_edit_list(gc->off->root.edit, dir, &v, &n, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (keeps(gc, v[i].name))
			continue;
		GROW(gc->names, gc->n_names, gc->names_cap);
		gc->names[gc->n_names++] = xstrdup(v[i].name);
	}
	return rc;
}

/* ---- the change ----------------------------------------------------------- */

static int drop_links(struct gc *gc, struct err *err)
{
	uint32_t dir;
	int rc = ext4_edit_find(gc->off->root.edit, GUEST_STATE_PROFILES, true, &dir, err);

	for (size_t i = 0; rc == 0 && i < gc->n_gone; i++) {
		_free_ char *name = xasprintf("system-%u-link", gc->gone[i]);

		rc = ext4_edit_remove(gc->off->root.edit, dir, name, NULL, err);
	}
	return rc;
}

static int drop_paths(struct gc *gc, struct err *err)
{
	struct ext4_edit *e = gc->off->root.edit;
	struct ext4_entry links;
	uint32_t dir;
	int rc = ext4_edit_find(e, STORE_DIR, true, &dir, err);

	for (size_t i = 0; rc == 0 && i < gc->n_names; i++)
		rc = ext4_edit_remove(e, dir, gc->names[i], &gc->disk_bytes, err);
	if (rc < 0 || !gc->n_names)
		return rc;
	rc = err_absent(ext4_edit_lookup(e, dir, LINKS, &links, err));
	if (rc == 0)
		rc = ext4_edit_sweep(e, links.ino, &gc->disk_bytes, err);
	return rc < 0 ? rc : 0;
}

static int prune(struct off_guest *off, void *arg, struct err *err)
{
	_cleanup_(closure_fini) struct closure left = {0};
	struct gc *gc = arg;
	int rc = drop_links(gc, err);

	if (rc == 0)
		rc = drop_paths(gc, err);
	if (rc < 0)
		return rc;
	/* Write the database anew, so that it has no pages of deleted rows. */
	closure_filter(&gc->in->db, gc->live, &left);
	return guest_state_put_db(off, gc->in, &left, err);
}

static bool is_gone(const char *path, void *arg)
{
	const struct gc *gc = arg;

	for (size_t i = 0; i < gc->n_names; i++)
		if (!strcmp(path + sizeof STORE_DIR, gc->names[i]))
			return true;
	return false;
}

/* ---- the report ----------------------------------------------------------- */

static void report_json(const struct gc *gc)
{
	json_t *o = json_out_new(), *gone = json_array(), *paths = json_array();
	json_t *stays = json_array();

	json_object_set_new(o, "dryRun", json_boolean(gc->req->common.dry_run));
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
	                    gc->req->common.dry_run ? json_null()
	                                            : json_integer((json_int_t)gc->disk_bytes));
	json_out_print(o, gc->out);
}

static void report(const struct gc *gc)
{
	const char *would = gc->req->common.dry_run ? "would delete" : "deleted";
	char size[16];

	if (gc->req->common.json) {
		report_json(gc);
		return;
	}
	if (gc->req->common.level < UI_NORMAL)
		return;
	for (size_t i = 0; i < gc->n_gone; i++)
		fprintf(gc->out, "%s generation %u\n", would, gc->gone[i]);
	for (size_t i = 0; i < gc->roots.n_stays; i++)
		fprintf(gc->out, "generation %u stays: %s\n", gc->roots.stays[i].number,
		        gc->roots.stays[i].why);
	for (size_t i = 0; i < gc->n_names; i++) {
		if (gc->req->common.dry_run || gc->req->common.level >= UI_VERBOSE)
			fprintf(gc->out, "%s " STORE_DIR "/%s\n", would, gc->names[i]);
	}
	fprintf(gc->out, "%s %zu store paths, %s\n", would, gc->n_names,
	        str_human(gc->req->common.dry_run ? gc->nar_bytes : gc->disk_bytes, size));
}

static int gc_run(struct gc *gc, struct err *err)
{
	const struct change_removal removal = {prune, is_gone, gc};
	const struct generation *current, *shown;
	int rc;

	guest_state_load_db(gc->off, gc->in);
	rc = guest_state_need_put_db(gc->in, err);
	if (rc == 0)
		rc = follow_known(gc->off, err);
	if (rc == 0)
		rc = choose_generations(gc, err);
	if (rc < 0)
		return rc;
	current = guest_state_current(gc->in);
	if (!current)
		return err_set(err, ERR_NOENT,
		               "the profile points at no generation; choose one with \"domstrap "
		               "rollback --to\" first");
	/* The menu keeps its default entry, whatever the profile points at. */
	shown = guest_state_boots(gc->in);
	rc = mark(gc, err);
	if (rc == 0)
		rc = list_names(gc, err);
	if (rc == 0 && !gc->req->common.dry_run)
		rc = change_commit_removal(gc->off, gc->in, shown ? shown : current, &removal, err);
	if (rc == 0)
		report(gc);
	return rc;
}

static int work(struct editor *e, void *arg, struct err *err)
{
	struct gc gc = {.req = arg, .off = &e->off, .in = &e->in, .out = e->out};
	int rc = gc_run(&gc, err);

	gc_fini(&gc);
	return rc;
}

int cmd_gc(int argc, char **argv)
{
	struct gc_options req = {.older_s = -1};

	return editor_command(argc, argv, &options, &req.common, work);
}
