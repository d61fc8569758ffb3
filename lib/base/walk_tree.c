/* SPDX-License-Identifier: MIT */
#include "base/walk_tree.h"
#include "base/io.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct node {
	enum walk_kind kind;
	char *name;
	uint32_t mode, uid, gid, handle;
	enum walk_kind graft;
	char *bytes; /* WALK_FILE: content, where fd is -1; WALK_LINK: target */
	uint64_t size;
	int fd;       /* WALK_FILE: where the content is, or -1 */
	uint64_t off; /* WALK_FILE: where it begins in fd */
	struct node **kids;
	size_t n, cap;
};

struct tree {
	struct node root;
	int64_t mtime;
};

struct level {
	const struct node *dir;
	size_t next;
};

struct tree_walker {
	struct walk walk;
	const struct tree *tree;
	bool started;
	const struct node *file;
	uint64_t at;
	size_t depth;
	struct level levels[WALK_DEPTH_MAX];
};

struct tree *tree_new(uint32_t mode, int64_t mtime)
{
	struct tree *t = xcalloc(1, sizeof *t);

	t->root = (struct node){.kind = WALK_DIR, .name = xstrdup(""), .mode = mode, .fd = -1};
	t->mtime = mtime;
	return t;
}

static void node_fini(struct node *nd)
{
	for (size_t i = 0; i < nd->n; i++) {
		node_fini(nd->kids[i]);
		free(nd->kids[i]);
	}
	free(nd->kids);
	free(nd->name);
	free(nd->bytes);
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	node_fini(&t->root);
	free(t);
}

void tree_freep(struct tree **t)
{
	tree_free(*t);
}

static struct str name_of(const void *kid)
{
	return str_from((*(struct node *const *)kid)->name);
}

/* The child's place in name order; *found: it exists. */
static size_t place(const struct node *dir, struct str name, bool *found)
{
	return str_place(dir->kids, dir->n, sizeof(struct node *), name_of, name, found);
}

static struct node *child(struct node *dir, struct str name, enum walk_kind kind)
{
	bool found;
	size_t at = place(dir, name, &found);
	struct node *nd;

	if (found) {
		nd = dir->kids[at];
		if (nd->kind != WALK_DIR || kind != WALK_DIR)
			abort();
		return nd;
	}
	nd = xcalloc(1, sizeof *nd);
	*nd = (struct node){.kind = kind, .name = xstrndup(name.p, name.n), .mode = 0755, .fd = -1};
	GROW(dir->kids, dir->n, dir->cap);
	memmove(dir->kids + at + 1, dir->kids + at, (dir->n - at) * sizeof *dir->kids);
	dir->kids[at] = nd;
	dir->n++;
	return nd;
}

static struct node *make(struct tree *t, const char *path, enum walk_kind kind)
{
	struct str rest = str_from(path), part;
	struct node *nd = &t->root;

	if (*path != '/')
		abort();
	rest = str_drop(rest, 1);
	if (!rest.n)
		return nd;
	while (rest.p) {
		part = str_cut(&rest, '/');
		if (!walk_name_valid(part))
			abort();
		nd = child(nd, part, rest.p ? WALK_DIR : kind);
	}
	return nd;
}

/* NULL: nothing is there. */
static struct node *find(struct node *nd, const char *path)
{
	struct str rest = str_from(path);

	while (rest.p && nd) {
		struct str part = str_cut(&rest, '/');
		bool found = false;
		size_t at;

		if (!part.n)
			continue;
		at = nd->kind == WALK_DIR ? place(nd, part, &found) : 0;
		nd = found ? nd->kids[at] : NULL;
	}
	return nd;
}

void tree_dir(struct tree *t, const char *path, uint32_t mode, uint32_t uid, uint32_t gid)
{
	struct node *nd = make(t, path, WALK_DIR);

	nd->mode = mode;
	nd->uid = uid;
	nd->gid = gid;
}

void tree_file(struct tree *t, const char *path, uint32_t mode, const void *p, size_t n)
{
	struct node *nd = make(t, path, WALK_FILE);

	nd->mode = mode;
	nd->size = n;
	nd->bytes = xmalloc(n);
	if (n)
		memcpy(nd->bytes, p, n);
}

void tree_host_file(struct tree *t, const char *path, uint32_t mode, int fd, uint64_t size)
{
	struct node *nd = make(t, path, WALK_FILE);

	nd->mode = mode;
	nd->size = size;
	nd->fd = fd;
}

void tree_host_part(struct tree *t, const char *path, uint32_t mode, int fd, uint64_t off,
                    uint64_t size)
{
	struct node *nd = find(&t->root, path);

	if (!nd)
		nd = make(t, path, WALK_FILE);
	if (nd->kind != WALK_FILE)
		abort();
	free(take(&nd->bytes));
	nd->mode = mode;
	nd->size = size;
	nd->fd = fd;
	nd->off = off;
}

bool tree_find(const struct tree *t, const char *path, enum walk_kind *kind)
{
	const struct node *nd = find((struct node *)(uintptr_t)&t->root, path);

	if (nd)
		*kind = nd->kind;
	return nd;
}

bool tree_chmod(struct tree *t, const char *path, uint32_t mode)
{
	struct node *nd = find(&t->root, path);

	if (nd)
		nd->mode = mode;
	return nd;
}

static void own(struct node *nd, uint32_t uid, uint32_t gid)
{
	nd->uid = uid;
	nd->gid = gid;
	for (size_t i = 0; i < nd->n; i++)
		own(nd->kids[i], uid, gid);
}

bool tree_chown(struct tree *t, const char *path, uint32_t uid, uint32_t gid)
{
	struct node *nd = find(&t->root, path);

	if (nd)
		own(nd, uid, gid);
	return nd;
}

static void map_fds(struct node *nd, int (*map)(void *ctx, int fd), void *ctx)
{
	if (nd->kind == WALK_FILE && nd->fd >= 0)
		nd->fd = map(ctx, nd->fd);
	for (size_t i = 0; i < nd->n; i++)
		map_fds(nd->kids[i], map, ctx);
}

void tree_map_fds(struct tree *t, int (*map)(void *ctx, int fd), void *ctx)
{
	map_fds(&t->root, map, ctx);
}

void tree_link(struct tree *t, const char *path, const char *target)
{
	struct node *nd = make(t, path, WALK_LINK);

	nd->mode = 0777;
	nd->bytes = xstrdup(target);
}

void tree_handle(struct tree *t, const char *path, uint32_t handle)
{
	make(t, path, WALK_DIR)->handle = handle;
}

void tree_graft(struct tree *t, const char *path, uint32_t handle, enum walk_kind kind)
{
	struct node *nd = make(t, path, WALK_GRAFT);

	nd->handle = handle;
	nd->graft = kind;
}

static void push(struct tree_walker *tw, const struct node *dir)
{
	if (tw->depth == WALK_DEPTH_MAX)
		abort();
	tw->levels[tw->depth++] = (struct level){.dir = dir};
}

static int tree_next(struct walk *w, struct walk_entry *ent, struct err *err)
{
	struct tree_walker *tw = (struct tree_walker *)w;
	const struct node *nd;
	struct level *lv;

	(void)err;
	tw->file = NULL;
	*ent = (struct walk_entry){.name = {"", 0}};
	if (!tw->started) {
		tw->started = true;
		nd = &tw->tree->root;
	} else if (!tw->depth) {
		return 1;
	} else {
		lv = &tw->levels[tw->depth - 1];
		if (lv->next == lv->dir->n) {
			tw->depth--;
			ent->kind = WALK_UP;
			return 0;
		}
		nd = lv->dir->kids[lv->next++];
	}
	*ent = (struct walk_entry){
	        .kind = nd->kind,
	        .name = str_from(nd->name),
	        .mode = nd->mode,
	        .uid = nd->uid,
	        .gid = nd->gid,
	        .mtime = tw->tree->mtime,
	        .handle = nd->handle,
	        .graft = nd->graft,
	};
	if (nd->kind == WALK_DIR)
		push(tw, nd);
	if (nd->kind == WALK_LINK)
		ent->target = str_from(nd->bytes);
	if (nd->kind == WALK_FILE) {
		ent->size = nd->size;
		tw->file = nd;
		tw->at = 0;
	}
	return 0;
}

static int tree_read(struct walk *w, void *p, size_t n, size_t *got, struct err *err)
{
	struct tree_walker *tw = (struct tree_walker *)w;
	const struct node *nd = tw->file;
	size_t m = (size_t)MIN((uint64_t)n, nd->size - tw->at);

	if (nd->fd >= 0) {
		int64_t some = io_pread(nd->fd, nd->name, p, m, nd->off + tw->at, err);

		if (some < 0)
			return (int)some;
		if ((size_t)some != m)
			return err_set(err, ERR_MISMATCH, "%s: became shorter while it was read",
			               nd->name);
	} else {
		memcpy(p, nd->bytes + tw->at, m);
	}
	tw->at += m;
	*got = m;
	return 0;
}

static void tree_walker_free(struct walk *w)
{
	free(w);
}

static const struct walk_ops tree_ops = {
        .next = tree_next,
        .read = tree_read,
        .free = tree_walker_free,
};

struct walk *tree_walk(const struct tree *t)
{
	struct tree_walker *tw = xcalloc(1, sizeof *tw);

	tw->walk.ops = &tree_ops;
	tw->tree = t;
	return &tw->walk;
}
