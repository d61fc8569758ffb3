/* SPDX-License-Identifier: MIT */
#include "fs/fs_walk.h"

#include <string.h>

#include "base/mem.h"
#include "base/show.h"
#include "fs/driver.h"

struct name {
	struct str s; /* in the level's names */
	size_t at;    /* the same as an offset, while they grow */
	uint64_t node;
};

/* An open directory, and how many of its names were returned. */
struct level {
	struct buf names;
	struct name *v;
	size_t n, cap, next;
	bool too_many;
};

struct fs_walk {
	struct walk walk;
	struct fs *fs;
	uint64_t root;
	bool begun;
	struct level level[WALK_DEPTH_MAX];
	size_t depth;
	struct buf target;
	struct fs_map map; /* of the current file */
	uint64_t pos;
};

static void level_fini(struct level *l)
{
	buf_fini(&l->names);
	free(l->v);
	*l = (struct level){.names = BUF_INIT};
}

static int take_name(void *arg, const struct fs_entry *ent)
{
	struct level *l = arg;

	if (str_is(ent->name, ".") || str_is(ent->name, ".."))
		return 0;
	if (l->n == FS_WALK_ENTRIES_MAX) {
		l->too_many = true;
		return 1;
	}
	GROW(l->v, l->n, l->cap);
	l->v[l->n++] = (struct name){{NULL, ent->name.n}, l->names.n, ent->node};
	buf_put(&l->names, ent->name.p, ent->name.n);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(((const struct name *)a)->s, ((const struct name *)b)->s);
}

static int check_names(const struct level *l, struct err *err)
{
	char shown[SHOW_SIZE];

	for (size_t i = 0; i < l->n; i++) {
		if (!walk_name_valid(l->v[i].s))
			return err_set(err, ERR_FORMAT, "'%s' is not a valid file name",
			               show_str(l->v[i].s, shown));
		if (i && str_eq(l->v[i].s, l->v[i - 1].s))
			return err_set(err, ERR_FORMAT, "'%s' occurs twice",
			               show_str(l->v[i].s, shown));
	}
	return 0;
}

static int open_dir(struct fs_walk *w, uint64_t node, struct err *err)
{
	struct level *l = &w->level[w->depth];
	int rc;

	if (w->depth == WALK_DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "directories nested deeper than %d", WALK_DEPTH_MAX);
	w->depth++;
	rc = w->fs->ops->list(w->fs, node, take_name, l, err);
	if (rc < 0)
		return rc;
	if (l->too_many)
		return err_set(err, ERR_LIMIT, "directory with more than %u entries",
		               FS_WALK_ENTRIES_MAX);
	for (size_t i = 0; i < l->n; i++)
		l->v[i].s.p = l->names.p + l->v[i].at;
	if (l->n)
		qsort(l->v, l->n, sizeof *l->v, by_name);
	return check_names(l, err);
}

static int open_node(struct fs_walk *w, uint64_t node, struct walk_entry *ent, struct err *err)
{
	struct fs_stat st;
	int rc = w->fs->ops->stat(w->fs, node, &st, err);

	if (rc < 0)
		return rc;
	ent->mode = st.mode;
	ent->uid = st.uid;
	ent->gid = st.gid;
	ent->mtime = st.mtime;
	switch (st.kind) {
	case FS_DIR:
		ent->kind = WALK_DIR;
		return open_dir(w, node, err);
	case FS_FILE:
		ent->kind = WALK_FILE;
		ent->size = st.size;
		w->pos = 0;
		return w->fs->ops->map(w->fs, node, &w->map, err);
	case FS_LINK:
		ent->kind = WALK_LINK;
		buf_reset(&w->target);
		rc = w->fs->ops->readlink(w->fs, node, &w->target, err);
		ent->target = buf_str(&w->target);
		if (rc == 0 && (!ent->target.n || memchr(ent->target.p, 0, ent->target.n)))
			rc = err_set(err, ERR_FORMAT, "a symbolic link with an empty target");
		return rc;
	default:
		return err_set(err, ERR_FORMAT,
		               "neither a regular file, a directory nor a symbolic link");
	}
}

static int walk_fs_next(struct walk *walk, struct walk_entry *ent, struct err *err)
{
	struct fs_walk *w = (struct fs_walk *)walk;
	struct level *l = w->depth ? &w->level[w->depth - 1] : NULL;
	char shown[SHOW_SIZE];
	uint64_t node;
	int rc;

	fs_map_fini(&w->map);
	*ent = (struct walk_entry){.kind = WALK_UP};
	if (!l && w->begun)
		return 1;
	if (l && l->next == l->n) {
		level_fini(l);
		w->depth--;
		return 0;
	}
	node = l ? l->v[l->next].node : w->root;
	if (l)
		ent->name = l->v[l->next++].s;
	w->begun = true;
	rc = open_node(w, node, ent, err);
	if (rc < 0 && l)
		return err_prefix(err, "%s", show_str(ent->name, shown));
	return rc;
}

static int walk_fs_read(struct walk *walk, void *p, size_t n, size_t *got, struct err *err)
{
	struct fs_walk *w = (struct fs_walk *)walk;
	uint64_t left = w->map.size - w->pos;
	int rc;

	n = (size_t)MIN(n, left);
	rc = fs_map_read(w->fs, &w->map, p, n, w->pos, err);
	if (rc < 0)
		return rc;
	w->pos += n;
	*got = n;
	return 0;
}

static void walk_fs_free(struct walk *walk)
{
	struct fs_walk *w = (struct fs_walk *)walk;

	while (w->depth)
		level_fini(&w->level[--w->depth]);
	fs_map_fini(&w->map);
	buf_fini(&w->target);
	free(w);
}

static const struct walk_ops walk_fs_ops = {
        .next = walk_fs_next,
        .read = walk_fs_read,
        .free = walk_fs_free,
};

int fs_walk_at(const struct fs_place *at, struct walk **out, struct err *err)
{
	struct fs_walk *w;

	if (!at->fs)
		return err_set(err, ERR_NOENT, "a directory of mount points");
	w = xcalloc(1, sizeof *w);
	w->walk.ops = &walk_fs_ops;
	w->fs = at->fs;
	w->root = at->node;
	*out = &w->walk;
	return 0;
}

int fs_walk_new(struct fs *fs, struct str path, struct walk **out, struct err *err)
{
	struct fs_place at;
	int rc = fs_find(fs, path, false, &at, err);

	return rc < 0 ? rc : fs_walk_at(&at, out, err);
}
