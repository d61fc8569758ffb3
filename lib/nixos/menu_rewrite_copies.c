/* SPDX-License-Identifier: MIT */
/* Kernels, initrds and device trees beside the menu. */
#include <stdlib.h>

#include "base/mem.h"
#include "nixos/menu_rewrite_internal.h"

#define DEPTH_MAX 16 /* directories of device trees within each other */

static int copy_any(struct menu_rewrite *m, const char *dir, const char *name, uint32_t from,
                    unsigned depth, struct err *err);

/*
 * Copy the contents of a directory of the root. A list of entries is valid until the next change.
 */
static int copy_inside(struct menu_rewrite *m, const char *dir, uint32_t from, unsigned depth,
                       struct err *err)
{
	const struct ext4_entry *v;
	size_t n = 1;
	int rc = 0;

	if (depth > DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "%s: directories nested deeper than %d", dir,
		               DEPTH_MAX);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		_free_ char *name = NULL;

		rc = ext4_edit_list(m->off->root.edit, from, &v, &n, err);
		if (rc < 0 || i >= n)
			return rc;
		name = xstrdup(v[i].name);
		rc = copy_any(m, dir, name, v[i].ino, depth, err);
	}
	return rc;
}

static int copy_link(struct menu_rewrite *m, uint32_t to, const char *name, uint32_t from,
                     struct err *err)
{
	_cleanup_(buf_fini) struct buf target = BUF_INIT;
	int rc = ext4_edit_readlink(m->off->root.edit, from, &target, err);

	return rc < 0 ? rc : ext4_edit_add_link(m->off->boot.edit, to, name, target.p, err);
}

static int copy_any(struct menu_rewrite *m, const char *dir, const char *name, uint32_t from,
                    unsigned depth, struct err *err)
{
	_cleanup_(walk_freep) struct walk *walk = NULL;
	_free_ char *path = xasprintf("%s/%s", dir, name);
	struct ext4_edit *boot = m->off->boot.edit, *root = m->off->root.edit;
	struct ext4_stat st;
	uint32_t to;
	int rc = ext4_edit_stat(root, from, &st, err);

	if (rc == 0 && st.type == EXT4_FT_DIR) {
		rc = ext4_edit_mkdir(boot, path, 0755, &to, err);
		return rc < 0 ? rc : copy_inside(m, path, from, depth + 1, err);
	}
	if (rc == 0)
		rc = ext4_edit_find(boot, dir, true, &to, err);
	if (rc == 0 && st.type == EXT4_FT_LINK)
		return copy_link(m, to, name, from, err);
	if (rc == 0)
		rc = ext4_edit_walk(root, from, 0644, &walk, err);
	return rc < 0 ? rc : ext4_edit_add(boot, to, name, walk, err);
}

int menu_rewrite_copy(struct menu_rewrite *m, const char *dir, const char *path, struct err *err)
{
	_free_ char *name = grubcfg_copy_name(path);
	struct ext4_edit *boot = m->off->boot.edit;
	struct ext4_entry there;
	uint32_t ino;
	int rc = ext4_edit_find(boot, dir, true, &ino, err);

	if (rc == 0)
		rc = ext4_edit_lookup(boot, ino, name, &there, err);
	if (rc != -ERR_NOENT)
		return rc;
	rc = ext4_edit_find(m->off->root.edit, path, true, &ino, err);
	return rc < 0 ? rc : copy_any(m, dir, name, ino, 0, err);
}

int menu_rewrite_drop(struct menu_rewrite *m, uint32_t dir,
                      bool (*keep)(const char *name, void *arg), void *arg, struct err *err)
{
	struct ext4_edit *boot = m->off->boot.edit;
	const struct ext4_entry *v;
	size_t count, i = 0;
	int rc = ext4_edit_list(boot, dir, &v, &count, err);

	while (rc == 0 && i < count) {
		if (keep(v[i].name, arg)) {
			i++;
			continue;
		}
		rc = ext4_edit_remove(boot, dir, v[i].name, NULL, err);
		if (rc == 0)
			rc = ext4_edit_list(boot, dir, &v, &count, err);
	}
	return rc;
}
