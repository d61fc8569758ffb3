/* SPDX-License-Identifier: MIT */
/*
 * From the outside in:
 *     views    view.c: several file systems in one tree, as they are mounted
 *     paths    path.c: components, links and ".." over the driver's stat and list
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
	fs_names_free(fs->names);
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

/* ---- places --------------------------------------------------------------- */

int fs_place_stat(const struct fs_place *at, struct fs_stat *out, struct err *err)
{
	if (at->fs)
		return at->fs->ops->stat(at->fs, at->node, out, err);
	*out = (struct fs_stat){.kind = FS_DIR, .mode = 0755};
	return 0;
}

int fs_place_readlink(const struct fs_place *at, struct buf *out, struct err *err)
{
	struct fs_stat st;
	int rc = fs_place_stat(at, &st, err);

	if (rc == 0 && (st.kind != FS_LINK || !at->fs->ops->readlink))
		rc = err_set(err, ERR_FORMAT, "not a symbolic link");
	return rc < 0 ? rc : at->fs->ops->readlink(at->fs, at->node, out, err);
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

static int list_place(const struct fs_place *at, struct lister *l, struct err *err)
{
	struct fs_stat st;
	int rc = fs_place_stat(at, &st, err);

	if (rc == 0 && st.kind != FS_DIR)
		rc = err_set(err, ERR_NOENT, "not a directory");
	if (rc < 0 || !at->fs)
		return rc;
	return at->fs->ops->list(at->fs, at->node, list_entry, l, err);
}

int fs_place_open(const struct fs_place *at, struct fs_file **out, struct err *err)
{
	_cleanup_(fs_file_freep) struct fs_file *f = xcalloc(1, sizeof *f);
	struct fs_stat st;
	int rc = fs_place_stat(at, &st, err);

	f->fs = at->fs;
	if (rc == 0 && st.kind != FS_FILE)
		rc = err_set(err, ERR_FORMAT, "not a regular file");
	if (rc == 0)
		rc = at->fs->ops->map(at->fs, at->node, &f->map, err);
	if (rc < 0)
		return rc;
	*out = take(&f);
	return 0;
}

/* ---- paths ---------------------------------------------------------------- */

static int prefixed(const struct fs *fs, struct str path, int rc, struct err *err)
{
	return rc < 0 ? err_prefix(err, "%s: %.*s", fs->w.name, STR_ARG(path)) : rc;
}

int fs_stat(struct fs *fs, struct str path, bool follow, struct fs_stat *out, struct err *err)
{
	struct fs_place at;
	int rc = fs_find(fs, path, follow, &at, err);

	return rc < 0 ? rc : prefixed(fs, path, fs_place_stat(&at, out, err), err);
}

int fs_readlink(struct fs *fs, struct str path, struct buf *out, struct err *err)
{
	struct fs_place at;
	int rc = fs_find(fs, path, false, &at, err);

	return rc < 0 ? rc : prefixed(fs, path, fs_place_readlink(&at, out, err), err);
}

int fs_list(struct fs *fs, struct str path, fs_name_fn *fn, void *arg, struct err *err)
{
	struct lister l = {fn, arg};
	struct fs_place at;
	int rc = fs_find(fs, path, true, &at, err);

	return rc < 0 ? rc : prefixed(fs, path, list_place(&at, &l, err), err);
}

int fs_file_open(struct fs *fs, struct str path, struct fs_file **out, struct err *err)
{
	struct fs_place at;
	int rc = fs_find(fs, path, true, &at, err);

	return rc < 0 ? rc : prefixed(fs, path, fs_place_open(&at, out, err), err);
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

int fs_read(struct fs *fs, struct str path, size_t limit, struct buf *out, struct err *err)
{
	_cleanup_(fs_file_freep) struct fs_file *f = NULL;
	uint64_t size;
	size_t got;
	int rc = fs_file_open(fs, path, &f, err);

	if (rc < 0)
		return rc;
	size = fs_file_size(f);
	if (size > limit)
		return err_set(err, ERR_LIMIT, "%.*s: larger than the limit of %zu bytes",
		               STR_ARG(path), limit);
	return fs_file_read(f, buf_zeros(out, (size_t)size), (size_t)size, 0, &got, err);
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
