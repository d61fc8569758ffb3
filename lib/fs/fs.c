/* SPDX-License-Identifier: MIT */
/*
 * From the outside in:
 *     paths    components, links and ".." over the driver's stat and list
 *     files    a map of runs, read straight into the caller's memory
 *     drivers  btrfs.c, ext.c, fat.c, iso9660.c, xfs.c: const table of probes
 */
#include "fs/fs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "fs/driver.h"

struct fs_file {
	struct fs *fs;
	struct fs_map map;
};

static int (*const probes[])(const struct window *w, struct fs **out, struct err *err) = {
        ext_probe,   fat_probe,     xfs_probe,
        btrfs_probe, iso9660_probe, /* a disk may begin with something else, for firmware */
};

int fs_open(const struct window *w, struct fs **out, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
		int rc = probes[i](w, out, err);

		if (rc < 0)
			return err_prefix(err, "%s", w->name);
		if (rc == 0)
			return 0;
	}
	return 1;
}

void fs_free(struct fs *fs)
{
	if (!fs)
		return;
	for (size_t i = 0; i < FS_KNOWN; i++)
		free(fs->known[i].name);
	fs->ops->free(fs);
}

void fs_freep(struct fs **fs)
{
	fs_free(*fs);
}

const char *fs_type(const struct fs *fs)
{
	return fs->type;
}

const char *fs_family(const struct fs *fs)
{
	return fs->family;
}

const char *fs_label(const struct fs *fs)
{
	return fs->label;
}

const char *fs_uuid(const struct fs *fs)
{
	return fs->uuid;
}

bool fs_unclean(const struct fs *fs)
{
	return fs->unclean;
}

const char *fs_notice(const struct fs *fs)
{
	return fs->notice;
}

enum fs_kind fs_kind_of(uint16_t mode)
{
	if (S_ISREG(mode))
		return FS_FILE;
	if (S_ISDIR(mode))
		return FS_DIR;
	return S_ISLNK(mode) ? FS_LINK : FS_OTHER;
}

void fs_uuid_set(struct fs *fs, const uint8_t u[static 16])
{
	snprintf(fs->uuid, sizeof fs->uuid,
	         "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
	         u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
	         u[15]);
}

int fs_space(struct fs *fs, uint64_t *size, uint64_t *unused, struct err *err)
{
	int rc = fs->ops->space(fs, size, unused, err);

	return rc < 0 ? err_prefix(err, "%s", fs->w.name) : 0;
}

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
	uint64_t node[FS_DEPTH_MAX];
	size_t n;
	unsigned links;
	struct buf rest; /* the rest of the path */
};

static void trail_fini(struct trail *t)
{
	buf_fini(&t->rest);
}

/* Insert a link's target before the rest of the path. */
static int link_follow(struct fs *fs, uint64_t node, struct trail *t, struct str rest,
                       struct err *err)
{
	struct buf next = BUF_INIT;
	int rc;

	if (++t->links > FS_LINKS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d symbolic links", FS_LINKS_MAX);
	if (!fs->ops->readlink)
		return err_set(err, ERR_FORMAT,
		               "a symbolic link in a file system without symbolic links");
	rc = fs->ops->readlink(fs, node, &next, err);
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
		t->n = 1;
	buf_puts(&next, "/");
	buf_put(&next, rest.p ? rest.p : "", rest.n);
	buf_fini(&t->rest);
	t->rest = next;
	return 0;
}

/* Resolve one component below the last directory. A link is followed if more components follow. */
static int step(struct fs *fs, struct trail *t, struct str name, struct str rest, bool follow,
                struct err *err)
{
	struct fs_stat st;
	uint64_t node = 0;
	int rc = fs->ops->stat(fs, t->node[t->n - 1], &st, err);

	if (rc < 0)
		return rc;
	if (st.kind != FS_DIR)
		return err_set(err, ERR_NOENT, "the parent of \"%.*s\" is not a directory",
		               STR_ARG(name));
	rc = name_find(fs, t->node[t->n - 1], name, &node, err);
	if (rc == -ERR_NOENT && t->n == 1 && fs->has_root2)
		rc = name_find(fs, fs->root2, name, &node, err);
	if (rc == 0)
		rc = fs->ops->stat(fs, node, &st, err);
	if (rc < 0)
		return rc;
	if (st.kind == FS_LINK && (follow || rest.n)) {
		rc = link_follow(fs, node, t, rest, err);
		return rc < 0 ? rc : 1;
	}
	if (t->n == FS_DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "directories nested deeper than %d", FS_DEPTH_MAX);
	t->node[t->n++] = node;
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
			t->n -= t->n > 1;
			continue;
		}
		rc = step(fs, t, name, rest, follow, err);
		if (rc < 0)
			return rc;
		if (rc == 1)
			rest = buf_str(&t->rest);
	}
	return 0;
}

int fs_resolve(struct fs *fs, struct str path, bool follow, uint64_t *node, struct err *err)
{
	_cleanup_(trail_fini) struct trail t = {.node = {fs->root}, .n = 1, .rest = BUF_INIT};
	int rc;

	if (path.n > FS_PATH_MAX)
		return err_set(err, ERR_LIMIT, "%s: path of %zu bytes, longer than the limit of %d",
		               fs->w.name, path.n, FS_PATH_MAX);
	buf_put(&t.rest, path.p, path.n);
	rc = trail_walk(fs, &t, follow, err);
	if (rc < 0)
		return err_prefix(err, "%s: %.*s", fs->w.name, STR_ARG(path));
	*node = t.node[t.n - 1];
	return 0;
}

int fs_stat(struct fs *fs, struct str path, bool follow, struct fs_stat *out, struct err *err)
{
	uint64_t node;
	int rc = fs_resolve(fs, path, follow, &node, err);

	if (rc < 0)
		return rc;
	rc = fs->ops->stat(fs, node, out, err);
	return rc < 0 ? err_prefix(err, "%s: %.*s", fs->w.name, STR_ARG(path)) : 0;
}

int fs_readlink(struct fs *fs, struct str path, struct buf *out, struct err *err)
{
	struct fs_stat st;
	uint64_t node;
	int rc = fs_resolve(fs, path, false, &node, err);

	if (rc < 0)
		return rc;
	rc = fs->ops->stat(fs, node, &st, err);
	if (rc == 0 && (st.kind != FS_LINK || !fs->ops->readlink))
		rc = err_set(err, ERR_FORMAT, "not a symbolic link");
	if (rc == 0)
		rc = fs->ops->readlink(fs, node, out, err);
	return rc < 0 ? err_prefix(err, "%s: %.*s", fs->w.name, STR_ARG(path)) : 0;
}

struct lister {
	fs_name_fn *fn;
	void *arg;
};

static int list_entry(void *arg, const struct fs_entry *ent)
{
	struct lister *l = arg;

	if (str_is(ent->name, ".") || str_is(ent->name, ".."))
		return 0;
	return l->fn(l->arg, ent->name);
}

int fs_list(struct fs *fs, struct str path, fs_name_fn *fn, void *arg, struct err *err)
{
	struct lister l = {fn, arg};
	struct fs_stat st;
	uint64_t node;
	int rc = fs_resolve(fs, path, true, &node, err);

	if (rc < 0)
		return rc;
	rc = fs->ops->stat(fs, node, &st, err);
	if (rc == 0 && st.kind != FS_DIR)
		rc = err_set(err, ERR_NOENT, "not a directory");
	if (rc == 0)
		rc = fs->ops->list(fs, node, list_entry, &l, err);
	return rc < 0 ? err_prefix(err, "%s: %.*s", fs->w.name, STR_ARG(path)) : 0;
}

int fs_file_open(struct fs *fs, struct str path, struct fs_file **out, struct err *err)
{
	_cleanup_(fs_file_freep) struct fs_file *f = xcalloc(1, sizeof *f);
	struct fs_stat st;
	uint64_t node;
	int rc = fs_resolve(fs, path, true, &node, err);

	if (rc < 0)
		return rc;
	f->fs = fs;
	rc = fs->ops->stat(fs, node, &st, err);
	if (rc == 0 && st.kind != FS_FILE)
		rc = err_set(err, ERR_FORMAT, "not a regular file");
	if (rc == 0)
		rc = fs->ops->map(fs, node, &f->map, err);
	if (rc < 0)
		return err_prefix(err, "%s: %.*s", fs->w.name, STR_ARG(path));
	*out = take(&f);
	return 0;
}

void fs_file_free(struct fs_file *f)
{
	if (!f)
		return;
	fs_map_fini(&f->map);
	free(f);
}

void fs_file_freep(struct fs_file **f)
{
	fs_file_free(*f);
}

uint64_t fs_file_size(const struct fs_file *f)
{
	return f->map.size;
}

uint64_t fs_file_hole(struct fs_file *f, uint64_t off)
{
	return fs_map_hole(&f->map, off);
}

uint64_t fs_file_stored(const struct fs_file *f, uint64_t unit)
{
	return fs_map_stored(&f->map, unit);
}

int fs_file_read(struct fs_file *f, void *p, size_t n, uint64_t off, size_t *got, struct err *err)
{
	uint64_t left = off < f->map.size ? f->map.size - off : 0;
	int rc;

	if (n > left)
		n = (size_t)left;
	rc = fs_map_read(f->fs, &f->map, p, n, off, err);
	if (rc < 0)
		return rc;
	*got = n;
	return 0;
}

int fs_file_where(const struct fs_file *f, uint64_t off, uint64_t n, uint64_t *at)
{
	const struct fs_map *m = &f->map;

	if (f->fs->w.fixed || m->has_inside || off > m->size || n > m->size - off)
		return 1;
	for (size_t i = 0; i < m->n; i++) {
		const struct fs_run *r = &m->run[i];

		if (off < r->at || off - r->at > r->n || n > r->n - (off - r->at))
			continue;
		if (r->disk == FS_HOLE || r->pack.how)
			return 1;
		if (f->fs->ops->moved && f->fs->ops->moved(f->fs, r->disk + (off - r->at), n))
			return 1;
		*at = f->fs->w.start + r->disk + (off - r->at);
		return 0;
	}
	return 1;
}
