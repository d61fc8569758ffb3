/* SPDX-License-Identifier: MIT */
/* The guest's store as files, for what looks into a system. */
#include <string.h>

#include "base/mem.h"
#include "nixos/guest_fs.h"
#include "nixos/guest_state.h"

static struct off_guest_fs *fs_of(struct store_files *f)
{
	return &((struct guest_state_files *)f)->off->root;
}

static int look(struct store_files *f, const char *path, enum walk_kind *kind, struct buf *target,
                struct err *err)
{
	struct off_guest_fs *fs = fs_of(f);
	struct ext4_stat st;
	uint32_t ino;
	int rc = guest_fs_find(fs, path, false, &ino, err);

	if (rc == 0)
		rc = guest_fs_stat(fs, ino, &st, err);
	if (rc < 0)
		return rc;
	*kind = st.type == EXT4_FT_FILE   ? WALK_FILE
	        : st.type == EXT4_FT_DIR  ? WALK_DIR
	        : st.type == EXT4_FT_LINK ? WALK_LINK
	                                  : WALK_UP;
	return *kind == WALK_LINK ? guest_fs_readlink(fs, ino, target, err) : 0;
}

static int read_file(struct store_files *f, const char *path, size_t limit, struct buf *out,
                     struct err *err)
{
	return guest_fs_read_path(fs_of(f), path, limit, out, err);
}

static int list(struct store_files *f, const char *path, struct buf *names, struct err *err)
{
	struct off_guest_fs *fs = fs_of(f);
	const struct ext4_entry *v;
	uint32_t ino;
	size_t n;
	int rc = guest_fs_find(fs, path, false, &ino, err);

	if (rc == 0)
		rc = guest_fs_list(fs, ino, &v, &n, err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		buf_put(names, v[i].name, strlen(v[i].name) + 1);
	return rc;
}

void guest_state_files_init(struct guest_state_files *f, struct off_guest *off)
{
	static const struct store_files_ops ops = {.look = look, .read = read_file, .list = list};

	*f = (struct guest_state_files){.files = {.ops = &ops, .root = xstrdup("")}, .off = off};
}
