/* SPDX-License-Identifier: MIT */
#include "fs_explore.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fs/fs.h"
#include "fs/fs_walk.h"

#define NODES_MAX 64
#define READ_MAX (256u << 10)

struct tour {
	struct fs *fs;
	char *path[NODES_MAX]; /* paths visited, and paths to visit */
	size_t n, at;
};

static int name_take(void *arg, struct str name)
{
	struct tour *t = arg;

	if (t->n == NODES_MAX)
		return 1;
	t->path[t->n++] = xasprintf("%s/%.*s", t->path[t->at], STR_ARG(name));
	return 0;
}

static void file_read(struct fs *fs, struct str path)
{
	_cleanup_(fs_file_freep) struct fs_file *f = NULL;
	_free_ char *p = xmalloc(READ_MAX);
	struct err err = ERR_INIT;
	uint64_t size, where;
	size_t got;

	if (fs_file_open(fs, path, &f, &err) < 0)
		return;
	size = fs_file_size(f);
	(void)fs_file_read(f, p, READ_MAX, 0, &got, &err);
	(void)fs_file_read(f, p, READ_MAX, size / 2, &got, &err);
	(void)fs_file_read(f, p, 100, size - MIN(size, 50), &got, &err);
	(void)fs_file_read(f, p, 100, UINT64_MAX, &got, &err);
	(void)fs_file_where(f, size / 3, MIN(size, 1024), &where);
}

static void node_look(struct tour *t, struct str path)
{
	struct buf target = BUF_INIT;
	struct err err = ERR_INIT;
	struct fs_stat st;

	if (fs_stat(t->fs, path, false, &st, &err) < 0)
		return;
	if (st.kind == FS_DIR)
		(void)fs_list(t->fs, path, name_take, t, &err);
	if (st.kind == FS_LINK)
		(void)fs_readlink(t->fs, path, &target, &err);
	if (st.kind == FS_FILE || st.kind == FS_LINK)
		file_read(t->fs, path);
	buf_fini(&target);
}

/* The whole file system as a walk, up to the first error. */
static void tree_walk_all(struct fs *fs)
{
	_cleanup_(walk_freep) struct walk *w = NULL;
	_free_ char *p = xmalloc(READ_MAX);
	struct err err = ERR_INIT;
	struct walk_entry ent;
	size_t got;

	if (fs_walk_new(fs, STR("/"), &w, &err) < 0)
		return;
	for (unsigned i = 0; i < NODES_MAX && walk_next(w, &ent, &err) == 0; i++)
		if (ent.kind == WALK_FILE)
			(void)walk_read(w, p, READ_MAX, &got, &err);
}

void fs_explore_window(const struct window *w)
{
	struct err err = ERR_INIT;
	struct tour t = {.n = 0};

	if (fs_open(w, &t.fs, &err) != 0)
		return;
	t.path[t.n++] = xstrdup("");
	for (; t.at < t.n; t.at++)
		node_look(&t, str_from(t.path[t.at]));
	tree_walk_all(t.fs);
	file_read(t.fs, STR("/boot/../link/./grub//grub.cfg"));
	while (t.n)
		free(t.path[--t.n]);
	fs_free(t.fs);
}

void fs_explore(const uint8_t *image, size_t size)
{
	struct source_mem src;
	struct window w;

	source_mem_init(&src, image, size);
	w = window_over(&src.src, size, "image");
	fs_explore_window(&w);
}
