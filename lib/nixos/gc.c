/* SPDX-License-Identifier: MIT */
#include "nixos/gc.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nix/store_path.h"
#include "nixos/change.h"
#include "nixos/follow.h"

#define LINKS ".links" /* of a store with optimised (hard-linked) files */

/* ---- what goes ------------------------------------------------------------ */

static bool goes(const struct gc *gc, const struct profile *p, size_t i)
{
	const struct generation *g = &p->v[i];

	if (g->current)
		return false;
	if (gc->rule.keep && i + gc->rule.keep < p->n)
		return true;
	return gc->rule.older_s >= 0 && g->time <= gc->off->now - gc->rule.older_s;
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

int gc_plan(struct gc *gc, struct err *err)
{
	int rc;

	guest_state_load_db(gc->off, gc->in);
	rc = guest_state_need_put_db(gc->in, err);
	if (rc == 0)
		rc = follow_known(gc->off, err);
	if (rc == 0)
		rc = choose_generations(gc, err);
	if (rc < 0)
		return rc;
	if (!guest_state_current(gc->in))
		return err_set(err, ERR_NOENT,
		               "the profile points at no generation; choose one with \"domstrap "
		               "rollback --to\" first");
	rc = mark(gc, err);
	return rc < 0 ? rc : list_names(gc, err);
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

int gc_commit(struct gc *gc, struct err *err)
{
	const struct change_removal removal = {prune, is_gone, gc};
	const struct generation *shown = guest_state_boots(gc->in);

	/* The menu keeps its default entry, whatever the profile points at. */
	return change_commit_removal(gc->off, gc->in, shown ? shown : guest_state_current(gc->in),
	                             &removal, err);
}

void gc_fini(struct gc *gc)
{
	for (size_t i = 0; i < gc->n_names; i++)
		free(gc->names[i]);
	free(gc->names);
	free(gc->gone);
	free(gc->live);
	gc_roots_fini(&gc->roots);
}
