/* SPDX-License-Identifier: MIT */
/* Kernels, initrds and device trees beside the menu. */
#include "base/mem.h"
#include "remenu_in.h"

int remenu_copy(struct remenu *m, uint32_t dir, const char *path, struct err *err)
{
	_cleanup_(walk_freep) struct walk *walk = NULL;
	_free_ char *name = grubcfg_copy_name(path);
	struct ext4_edit *boot = m->off->boot.edit, *root = m->off->root.edit;
	struct ext4_entry there;
	uint32_t ino;
	int rc = ext4_edit_lookup(boot, dir, name, &there, err);

	if (rc != -ERR_NOENT)
		return rc;
	rc = ext4_edit_find(root, path, true, &ino, err);
	if (rc == 0)
		rc = ext4_edit_walk(root, ino, 0644, &walk, err);
	return rc < 0 ? rc : ext4_edit_add(boot, dir, name, walk, err);
}

int remenu_drop(struct remenu *m, uint32_t dir, bool (*keep)(const char *name, void *arg),
                void *arg, struct err *err)
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
