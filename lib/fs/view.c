/* SPDX-License-Identifier: MIT */
#include "fs/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/walk.h"
#include "fs/driver.h"

struct view {
	struct fs fs;
	struct fs_point root;
	unsigned mounts;
};

const struct fs_point *fs_point_find(const struct fs_point *parent, struct str name)
{
	const struct fs_point *p = parent ? parent->child : NULL;

	while (p && !str_is(name, p->name))
		p = p->next;
	return p;
}

static void points_free(struct fs_point *p)
{
	while (p) {
		struct fs_point *next = p->next;

		points_free(p->child);
		free(p->name);
		free(p);
		p = next;
	}
}

static void view_free(struct fs *fs)
{
	struct view *v = (struct view *)fs;

	points_free(v->root.child);
	free(v);
}

static int view_space(struct fs *fs, uint64_t *size, uint64_t *unused, struct err *err)
{
	const struct fs_point *root = fs->view;

	*size = *unused = 0;
	return root->over ? fs_space(root->over, size, unused, err) : 0;
}

struct fs *fs_view_new(const char *name)
{
	static const struct fs_ops ops = {.space = view_space, .free = view_free};
	struct view *v = xcalloc(1, sizeof *v);

	v->fs.ops = &ops;
	v->fs.w.name = name;
	v->fs.type = v->fs.family = "";
	v->fs.view = &v->root;
	return &v->fs;
}

/* The point of a directory, which is added with those above it. */
static struct fs_point *point_add(struct fs_point *p, struct str name)
{
	/* p can be changed, so what is below it can be, too. */
	struct fs_point *child = (struct fs_point *)(uintptr_t)fs_point_find(p, name);

	if (child)
		return child;
	child = xcalloc(1, sizeof *child);
	child->name = xstrndup(name.p, name.n);
	child->next = p->child;
	p->child = child;
	return child;
}

/* Whether the path of a mount point is one: no "..", not too deep. */
static bool valid_point(struct str dir)
{
	unsigned n = 0;

	if (!dir.n || dir.p[0] != '/' || dir.n > FS_PATH_MAX)
		return false;
	while (dir.p && n < FS_DEPTH_MAX) {
		struct str name = str_cut(&dir, '/');

		if (name.n && !walk_name_valid(name))
			return false;
		n += name.n != 0;
	}
	return n < FS_DEPTH_MAX;
}

static int mount_at(struct fs *view, struct str dir, struct fs *what, uint64_t node,
                    struct err *err)
{
	struct view *v = (struct view *)view;
	struct fs_point *p = &v->root;

	if (!valid_point(dir))
		return err_set(err, ERR_FORMAT, "not a mount point");
	if (v->mounts == FS_VIEW_MOUNTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %u mounts", FS_VIEW_MOUNTS_MAX);
	v->mounts++;
	while (dir.p) {
		struct str name = str_cut(&dir, '/');

		if (name.n)
			p = point_add(p, name);
	}
	points_free(take(&p->child));
	p->over = what;
	p->node = node;
	if (!what->names)
		what->names = fs_names_new();
	return 0;
}

static int find_subvol(struct fs *what, const struct fs_subvol *sub, uint64_t *node,
                       struct err *err)
{
	struct fs_place at;
	int rc;

	if (!sub->path.p && !sub->id) {
		*node = what->has_root2 ? what->root2 : what->root;
		return 0;
	}
	if (!what->ops->subvol)
		return err_set(err, ERR_UNSUPPORTED, "%s has no subvolumes", what->type);
	if (!sub->path.p)
		return what->ops->subvol(what, sub->id, node, err);
	rc = fs_find(what, sub->path, false, &at, err);
	if (rc == 0)
		*node = at.node;
	return rc;
}

int fs_view_mount(struct fs *view, struct str dir, struct fs *what, const struct fs_subvol *sub,
                  struct err *err)
{
	struct fs_stat st;
	uint64_t node;
	int rc = find_subvol(what, sub, &node, err);

	if (rc == 0)
		rc = what->ops->stat(what, node, &st, err);
	if (rc == 0 && st.kind != FS_DIR)
		rc = err_set(err, ERR_NOENT, "not a directory");
	if (rc == 0)
		rc = mount_at(view, dir, what, node, err);
	return rc < 0 ? err_prefix(err, "%s: mount at %.*s", view->w.name, STR_ARG(dir)) : 0;
}

int fs_view_bind(struct fs *view, struct str dir, struct str from, struct err *err)
{
	struct fs_place at;
	struct fs_stat st;
	int rc = fs_find(view, from, true, &at, err);

	if (rc == 0)
		rc = fs_place_stat(&at, &st, err);
	if (rc == 0 && (st.kind != FS_DIR || !at.fs))
		rc = err_set(err, ERR_NOENT, "not a directory");
	if (rc == 0)
		rc = mount_at(view, dir, at.fs, at.node, err);
	return rc < 0 ? err_prefix(err, "%s: mount at %.*s", view->w.name, STR_ARG(dir)) : 0;
}
