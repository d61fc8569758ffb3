/* SPDX-License-Identifier: MIT */
#include "nixos/guest_fs.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/show.h"
#include "nixos/guest_view.h"
#include "nixos/off_guest.h"

int guest_fs_find(struct off_guest_fs *fs, const char *path, bool follow, uint32_t *ino,
                  struct err *err)
{
	return fs->view ? guest_view_find(fs->view, path, follow, ino, err)
	                : ext4_edit_find(fs->edit, path, follow, ino, err);
}

int guest_fs_resolve(struct off_guest_fs *fs, const char *path, uint32_t *ino, char **real,
                     struct err *err)
{
	return fs->view ? guest_view_resolve(fs->view, path, ino, real, err)
	                : ext4_edit_resolve(fs->edit, path, ino, real, err);
}

int guest_fs_stat(struct off_guest_fs *fs, uint32_t ino, struct ext4_stat *out, struct err *err)
{
	return fs->view ? guest_view_stat(fs->view, ino, out, err)
	                : ext4_edit_stat(fs->edit, ino, out, err);
}

int guest_fs_readlink(struct off_guest_fs *fs, uint32_t ino, struct buf *out, struct err *err)
{
	return fs->view ? guest_view_readlink(fs->view, ino, out, err)
	                : ext4_edit_readlink(fs->edit, ino, out, err);
}

int guest_fs_read(struct off_guest_fs *fs, uint32_t ino, size_t limit, struct buf *out,
                  struct err *err)
{
	return fs->view ? guest_view_read(fs->view, ino, limit, out, err)
	                : ext4_edit_read(fs->edit, ino, limit, out, err);
}

int guest_fs_read_path(struct off_guest_fs *fs, const char *path, size_t limit, struct buf *out,
                       struct err *err)
{
	char shown[SHOW_SIZE];
	uint32_t ino;
	int rc = guest_fs_find(fs, path, true, &ino, err);

	if (rc == 0)
		rc = guest_fs_read(fs, ino, limit, out, err);
	return rc < 0 ? err_prefix(err, "%s", show_str(str_from(path), shown)) : 0;
}

int guest_fs_walk(struct off_guest_fs *fs, uint32_t ino, struct walk **out, struct err *err)
{
	return fs->view ? guest_view_walk(fs->view, ino, out, err)
	                : ext4_edit_walk(fs->edit, ino, 0, out, err);
}

int guest_fs_list(struct off_guest_fs *fs, uint32_t dir, const struct ext4_entry **out, size_t *n,
                  struct err *err)
{
	return fs->view ? guest_view_list(fs->view, dir, out, n, err)
	                : ext4_edit_list(fs->edit, dir, out, n, err);
}

static int by_name(const void *key, const void *elem)
{
	return strcmp(key, ((const struct ext4_entry *)elem)->name);
}

int guest_fs_lookup(struct off_guest_fs *fs, uint32_t dir, const char *name, struct ext4_entry *out,
                    struct err *err)
{
	const struct ext4_entry *v, *found;
	size_t n;
	int rc;

	if (!fs->view)
		return ext4_edit_lookup(fs->edit, dir, name, out, err);
	rc = guest_view_list(fs->view, dir, &v, &n, err);
	if (rc < 0)
		return rc;
	found = n ? bsearch(name, v, n, sizeof *v, by_name) : NULL;
	if (!found)
		return err_set(err, ERR_NOENT, "no such file or directory");
	*out = *found;
	return 0;
}
