/* SPDX-License-Identifier: MIT */
/* Paths: components, links and "..", over the list of a driver, and over what a view has mounted.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "fs/driver.h"

/* Limit for the components that are followed in one view: some ten for each of a guest's
 * generations. */
#define STEPS_MAX (1u << 22)

struct search {
	struct str name;
	bool fold;
	bool found;
	uint64_t node;
};

static bool name_same(struct str a, struct str b, bool fold)
{
	if (!fold)
		return str_eq(a, b);
	return a.n == b.n && a.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static int search_entry(void *arg, const struct fs_entry *ent)
{
	struct search *s = arg;

	if (!name_same(ent->name, s->name, s->fold) && !name_same(ent->alias, s->name, s->fold))
		return 0;
	s->found = true;
	s->node = ent->node;
	return 1;
}

/* FNV-1a over the name, begun with the directory. */
static struct fs_known *known_at(struct fs *fs, uint64_t dir, struct str name)
{
	uint64_t h = 14695981039346656037u ^ dir;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (uint8_t)name.p[i]) * 1099511628211u;
	return &fs->known[(h ^ h >> 32) % FS_KNOWN];
}

/*
 * The node of a name in a directory: 0 or -ERR_NOENT. A store has tens of
 * thousands of names, and a menu asks for the same few of them.
 */
static int name_find(struct fs *fs, uint64_t dir, struct str name, uint64_t *node, struct err *err)
{
	struct search s = {.name = name, .fold = fs->fold};
	struct fs_known *k = known_at(fs, dir, name);
	int rc;

	if (fs->names && !fs->fold)
		return fs_names_find(fs, dir, name, node, err);
	if (k->name && k->dir == dir && str_is(name, k->name)) {
		*node = k->node;
		return 0;
	}
	rc = fs->ops->list(fs, dir, search_entry, &s, err);
	if (rc < 0)
		return rc;
	if (!s.found)
		return err_set(err, ERR_NOENT, "no such file or directory");
	free(k->name);
	*k = (struct fs_known){dir, s.node, xstrndup(name.p, name.n)};
	*node = s.node;
	return 0;
}

/* The directories on the way of a path, for "..". */
struct trail {
	struct fs_place at[FS_DEPTH_MAX];
	enum fs_kind kind[FS_DEPTH_MAX]; /* but not of the root */
	size_t end[FS_DEPTH_MAX];        /* of each one's path in real */
	size_t n;
	unsigned links;
	struct buf real; /* the path of the last one, without links; "" for the root */
	struct buf rest; /* the rest of the path */
};

static void trail_fini(struct trail *t)
{
	buf_fini(&t->real);
	buf_fini(&t->rest);
}

static void trail_cut(struct trail *t, size_t n)
{
	t->n = n;
	t->real.n = t->end[n - 1];
}

/* Insert a link's target before the rest of the path. */
static int link_follow(const struct fs_place *link, struct trail *t, struct str rest,
                       struct err *err)
{
	struct buf next = BUF_INIT;
	int rc;

	if (++t->links > FS_LINKS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d symbolic links", FS_LINKS_MAX);
	if (!link->fs->ops->readlink)
		return err_set(err, ERR_FORMAT,
		               "a symbolic link in a file system without symbolic links");
	rc = link->fs->ops->readlink(link->fs, link->node, &next, err);
	if (rc == 0 && next.n == 0)
		rc = err_set(err, ERR_FORMAT, "a symbolic link with an empty target");
	if (rc == 0 && next.n + 1 + rest.n > FS_PATH_MAX)
		rc = err_set(err, ERR_LIMIT, "path of %zu bytes, longer than the limit of %d",
		             next.n + 1 + rest.n, FS_PATH_MAX);
	if (rc < 0) {
		buf_fini(&next);
		return rc;
	}
	if (next.p[0] == '/')
		trail_cut(t, 1);
	buf_puts(&next, "/");
	buf_put(&next, rest.p ? rest.p : "", rest.n);
	buf_fini(&t->rest);
	t->rest = next;
	return 0;
}

/* A name in the last directory of the trail. */
static int look_up(const struct trail *t, struct str name, struct fs_place *out, struct err *err)
{
	const struct fs_place *dir = &t->at[t->n - 1];
	struct err none = ERR_INIT;
	int rc;

	*out = (struct fs_place){.point = fs_point_find(dir->point, name)};
	if (out->point && out->point->over) {
		out->fs = out->point->over;
		out->node = out->point->node;
		return 0;
	}
	rc = dir->fs ? name_find(dir->fs, dir->node, name, &out->node, &none)
	             : err_set(&none, ERR_NOENT, "no such file or directory");
	/* A file system's own top is the only place that has no point and another root. */
	if (rc == -ERR_NOENT && t->n == 1 && !dir->point && dir->fs->has_root2)
		rc = name_find(dir->fs, dir->fs->root2, name, &out->node, &none);
	if (rc == 0)
		out->fs = dir->fs;
	/* The directories of a mount point exist before anything is mounted there. */
	if (rc == -ERR_NOENT && out->point)
		rc = 0;
	if (rc < 0)
		*err = none;
	return rc;
}

/* Resolve one component below the last directory. A link is followed if more components follow. */
static int step(struct trail *t, struct str name, struct str rest, bool follow, struct err *err)
{
	struct fs_place next;
	struct fs_stat st = {.kind = t->kind[t->n - 1]};
	int rc = t->n == 1 ? fs_place_stat(&t->at[0], &st, err) : 0;

	if (rc < 0)
		return rc;
	if (st.kind != FS_DIR)
		return err_set(err, ERR_NOENT, "the parent of \"%.*s\" is not a directory",
		               STR_ARG(name));
	rc = look_up(t, name, &next, err);
	if (rc == 0)
		rc = fs_place_stat(&next, &st, err);
	if (rc < 0)
		return rc;
	if (st.kind == FS_LINK && (follow || rest.n)) {
		rc = link_follow(&next, t, rest, err);
		return rc < 0 ? rc : 1;
	}
	if (t->n == FS_DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "directories nested deeper than %d", FS_DEPTH_MAX);
	buf_puts(&t->real, "/");
	buf_put(&t->real, name.p, name.n);
	t->end[t->n] = t->real.n;
	t->kind[t->n] = st.kind;
	t->at[t->n++] = next;
	return 0;
}

static int trail_walk(struct fs *fs, struct trail *t, bool follow, struct err *err)
{
	struct str rest = buf_str(&t->rest);

	while (rest.p && rest.n) {
		struct str name = str_cut(&rest, '/');
		int rc;

		if (name.n == 0 || str_is(name, "."))
			continue;
		if (str_is(name, "..")) {
			trail_cut(t, t->n > 1 ? t->n - 1 : 1);
			continue;
		}
		if (fs->view && fs->steps++ >= STEPS_MAX)
			return err_set(err, ERR_LIMIT, "more than %u path components to follow",
			               STEPS_MAX);
		rc = step(t, name, rest, follow, err);
		if (rc < 0)
			return rc;
		if (rc == 1)
			rest = buf_str(&t->rest);
	}
	return 0;
}

static struct fs_place top(struct fs *fs)
{
	if (!fs->view)
		return (struct fs_place){.fs = fs, .node = fs->root};
	return (struct fs_place){.fs = fs->view->over, .node = fs->view->node, .point = fs->view};
}

static int resolve(struct fs *fs, struct str path, bool follow, struct fs_place *out, char **real,
                   struct err *err)
{
	_cleanup_(trail_fini) struct trail t = {
	        .at = {top(fs)}, .n = 1, .real = BUF_INIT, .rest = BUF_INIT};
	int rc;

	if (path.n > FS_PATH_MAX)
		return err_set(err, ERR_LIMIT, "%s: path of %zu bytes, longer than the limit of %d",
		               fs->w.name, path.n, FS_PATH_MAX);
	buf_put(&t.rest, path.p, path.n);
	rc = trail_walk(fs, &t, follow, err);
	if (rc < 0)
		return err_prefix(err, "%s: %.*s", fs->w.name, STR_ARG(path));
	*out = t.at[t.n - 1];
	if (real)
		*real = t.real.n ? xstrndup(t.real.p, t.real.n) : xstrdup("/");
	return 0;
}

int fs_find(struct fs *fs, struct str path, bool follow, struct fs_place *out, struct err *err)
{
	return resolve(fs, path, follow, out, NULL, err);
}

int fs_find_real(struct fs *fs, struct str path, struct fs_place *out, char **real, struct err *err)
{
	return resolve(fs, path, true, out, real, err);
}
