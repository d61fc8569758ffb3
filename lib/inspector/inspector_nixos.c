/* SPDX-License-Identifier: MIT */
/*
 * What Nix keeps, read as the commands that change it do (guest_state.h).
 *
 *     nixos = { "disk", "start", "size": of the file system with the store,
 *               "changeable": bool, an ext4 directly on a disk or partition; else
 *               "device": GRUB's name of the one with the store, as "lvm/vg-root",
 *               "menuPending": bool, "boot": see generations.h, "generations": [ generation ],
 *               "profiles": [ { "name", "generations": NUMBER } ],
 *               "pathCount", "narBytes": if the database was wanted and could be read,
 *               "databaseError": text, if it could not,
 *               "paths": [ { "path", "narSize", "narHash", "registered" } ],   if wanted
 *               "missing": [ path ], "unregistered": [ name ], "unregisteredMore" }
 *
 * "paths" and "missing" come as rows, see inspector_rows.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inspector/generation_json.h"
#include "inspector/inspector_child.h"
#include "nix/store_path.h"
#include "nixos/guest_fs.h"
#include "nixos/trial.h"

/* Names in the store that are not registered; the others are counted. */
#define STRANGERS_MAX 10000u

static void set_up(struct inspector_child *c, struct off_guest *off)
{
	*off = (struct off_guest){.mode = OFF_GUEST_LOOK,
	                          .any_root = true,
	                          .n_disks = c->disks.n,
	                          .config = inspector_config(&c->disks)};
	for (size_t i = 0; i < OFF_GUEST_DISKS_MAX; i++)
		off->targets[i] = (struct target)TARGET_INIT;
	for (size_t i = 0; i < c->disks.n; i++) {
		const struct disk_spec *d = &c->disks.spec[i];

		off->paths[i] = xstrdup(d->name);
		off->targets[i].fd = d->fd;
		off->targets[i].name = xstrdup(d->name);
		off->targets[i].size = d->size;
		off->targets[i].sector = d->sector;
	}
}

static json_t *generations_json(const struct profile *p, bool sizes, bool known)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(list, generation_json(&p->v[i], sizes, known));
	return list;
}

static json_t *profiles_json(const struct guest_state *in)
{
	json_t *list = json_array();

	for (size_t i = 1; i < in->n_profiles; i++) {
		json_t *o = json_object();

		inspector_set(o, "name", in->profiles[i].name);
		inspector_set_number(o, "generations", in->profiles[i].n);
		json_array_append_new(list, o);
	}
	return list;
}

/* Nix's own names in the store: .links, lock files. */
static bool is_furniture(const char *name)
{
	return !strcmp(name, ".links") || str_ends(str_from(name), ".lock");
}

/* Add a path; send the rows when there are enough of them. */
static int put_path(struct inspector_child *c, struct buf *rows, const struct path_info *info,
                    bool missing, struct err *err)
{
	int rc = 0;

	if (rows->n > INSPECTOR_PIECE_MAX / 2) {
		rc = wire_put(c->line, INSPECTOR_ROWS, buf_str(rows), err);
		buf_reset(rows);
	}
	inspector_row_put(rows, info, missing);
	return rc;
}

static void put_stranger(json_t *list, const char *name, uint64_t *more)
{
	if (is_furniture(name))
		return;
	if (json_array_size(list) < STRANGERS_MAX)
		json_array_append_new(list, inspector_string(str_from(name)));
	else
		++*more;
}

/* Both lists are in byte order of name. */
static int compare_store(struct inspector_child *c, struct off_guest_fs *fs,
                         const struct closure *db, json_t *o, struct err *err)
{
	_cleanup_(buf_fini) struct buf rows = BUF_INIT;
	json_t *stranger = json_array();
	const struct ext4_entry *v;
	size_t n, i = 0, k = 0;
	uint64_t more = 0;
	uint32_t dir;
	int rc;

	json_object_set_new(o, "unregistered", stranger);
	rc = guest_fs_find(fs, STORE_DIR, true, &dir, err);
	if (rc == 0)
		rc = guest_fs_list(fs, dir, &v, &n, err);
	while (rc == 0 && (i < db->n || k < n)) {
		const char *path = i < db->n ? db->paths[i].path + sizeof STORE_DIR : NULL;
		int order = !path ? 1 : k == n ? -1 : strcmp(path, v[k].name);

		if (order <= 0)
			rc = put_path(c, &rows, &db->paths[i], order < 0, err);
		else
			put_stranger(stranger, v[k].name, &more);
		i += order <= 0;
		k += order >= 0;
	}
	inspector_set_number(o, "unregisteredMore", more);
	return rc < 0 ? rc : wire_put(c->line, INSPECTOR_ROWS, buf_str(&rows), err);
}

static int put_store(struct inspector_child *c, struct off_guest *off, const struct guest_state *in,
                     json_t *o, struct err *err)
{
	struct err why;

	if (guest_state_need_db(in, &why) < 0) {
		inspector_set(o, "databaseError", why.text);
		return 0;
	}
	inspector_set_number(o, "pathCount", in->db.n);
	inspector_set_number(o, "narBytes", closure_nar_size(&in->db));
	if (!(c->wants & INSPECTOR_PATHS))
		return 0;
	return compare_store(c, &off->root, &in->db, o, err);
}

static int fill(struct inspector_child *c, struct off_guest *off, struct guest_state *in, json_t *o,
                struct err *err)
{
	bool sizes = c->wants & INSPECTOR_SIZES, pending = false;
	json_t *boot = NULL;
	int rc = off_guest_pending(off, &pending, err);

	if (rc == 0 && c->wants & (INSPECTOR_SIZES | INSPECTOR_PATHS))
		guest_state_load_db(off, in);
	if (rc == 0 && sizes)
		rc = guest_state_sizes(off, in, err);
	inspector_set_number(o, "disk", (uint64_t)(off->root.target - off->targets));
	inspector_set_number(o, "start", off->root.base);
	inspector_set_number(o, "size", off->root.size);
	json_object_set_new(o, "changeable", json_boolean(!off->root.view));
	if (off->root.view)
		inspector_set(o, "device", disks_files(off->disks)->devices[off->joined.dev].name);
	json_object_set_new(o, "menuPending", json_boolean(pending));
	if (rc == 0)
		rc = trial_mark(off, in, err);
	if (rc == 0)
		rc = trial_activated(off, in, err);
	if (rc == 0)
		rc = generation_boot_json(off, in, &boot, err);
	json_object_set_new(o, "boot", boot ? boot : json_null());
	json_object_set_new(o, "generations",
	                    generations_json(&in->profiles[0], sizes, !in->db_err.code));
	json_object_set_new(o, "profiles", profiles_json(in));
	if (rc == 0 && c->wants & (INSPECTOR_SIZES | INSPECTOR_PATHS))
		rc = put_store(c, off, in, o, err);
	return rc;
}

int inspector_nixos_json(struct inspector_child *c, json_t **out, struct err *err)
{
	struct off_guest off;
	struct guest_state in;
	json_t *o;
	int rc;

	set_up(c, &off);
	rc = off_guest_find(&off, err);
	if (rc == 0)
		rc = guest_state_load(&off, &in, err);
	if (rc == 0) {
		o = json_object();
		rc = fill(c, &off, &in, o, err);
		guest_state_fini(&in);
		if (rc == 0)
			*out = o;
		else
			json_decref(o);
	}
	/* off_guest_close() would close descriptors, which this process cannot. */
	return rc;
}
