/* SPDX-License-Identifier: MIT */
#include "nixos/extra_files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/show.h"
#include "base/walk_dir.h"

#define PIECE (256u << 10)
#define MODE_MASK 01777u /* no set-user-ID, no set-group-ID */
#define PATH_BYTES_MAX 4096u

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '/' || !path[n]);
}

char *extra_files_place(const struct extra_files *x, const char *path)
{
	return x->etc && is_below(path, "/etc") ? xasprintf("%s%s", x->etc, path + strlen("/etc"))
	                                        : xstrdup(path);
}

static int check_place(const struct extra_files *x, const char *path, struct err *err)
{
	char shown[SHOW_SIZE];

	if (is_below(path, "/nix"))
		return err_set(
		        err, ERR_UNSUPPORTED,
		        "%s: files below /nix are not allowed: the store contains only store paths",
		        show_str(str_from(path), shown));
	if (x->separate_boot && is_below(path, "/boot"))
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: /boot is on a disk of its own with --layout split, so files "
		               "below it are not allowed",
		               show_str(str_from(path), shown));
	return 0;
}

int extra_files_path_check(const struct extra_files *x, const char *path, struct err *err)
{
	struct str rest = str_from(path);
	char shown[SHOW_SIZE];
	bool ok = str_starts(rest, "/") && rest.n > 1 && rest.n < PATH_BYTES_MAX;

	rest = str_drop(rest, 1);
	while (ok && rest.p)
		ok = walk_name_valid(str_cut(&rest, '/'));
	if (!ok)
		return err_set(err, ERR_USAGE,
		               "'%s': expected an absolute path in the guest, such as /home",
		               show_str(str_from(path), shown));
	return check_place(x, path, err);
}

/* Check whether something is in the way of a file, a link or a directory. */
static int check_free(const struct extra_files *x, const char *path, enum walk_kind kind,
                      struct err *err)
{
	static const char *const names[] = {"a file", "a link", "a directory"};
	char shown[SHOW_SIZE];
	enum walk_kind there;

	if (!tree_find(x->tree, path, &there) ||
	    (there == kind && (kind == WALK_FILE || kind == WALK_DIR)))
		return 0;
	return err_set(err, ERR_EXISTS, "%s: is %s in the guest, but this is %s",
	               show_str(str_from(path), shown),
	               there <= WALK_DIR ? names[there] : "something else", names[kind]);
}

/* Contents are copied, so that they stay the same from counting to writing. */
static int copy_file(struct extra_files *x, struct walk *walk, uint64_t size, struct err *err)
{
	_free_ char *piece = xmalloc(PIECE);
	size_t got;

	for (uint64_t left = size; left; left -= got) {
		int rc = walk_read(walk, piece, (size_t)MIN(left, (uint64_t)PIECE), &got, err);

		if (rc == 0)
			rc = io_pwrite(x->spool, "a temporary file", piece, got, x->spool_at, err);
		if (rc < 0)
			return rc;
		x->spool_at += got;
	}
	return 0;
}

static int add_entry(struct extra_files *x, struct walk *walk, const struct walk_entry *ent,
                     const char *path, struct err *err)
{
	_free_ char *target = NULL;
	enum walk_kind there;
	uint64_t at = x->spool_at;
	int rc;

	switch (ent->kind) {
	case WALK_FILE:
		rc = copy_file(x, walk, ent->size, err);
		if (rc == 0)
			tree_host_part(x->tree, path, ent->mode & MODE_MASK, x->spool, at,
			               ent->size);
		return rc;
	case WALK_LINK:
		target = xstrndup(ent->target.p, ent->target.n);
		tree_link(x->tree, path, target);
		return 0;
	default:
		if (!tree_find(x->tree, path, &there))
			tree_dir(x->tree, path, ent->mode & MODE_MASK, 0, 0);
		return 0;
	}
}

/* path is the directory that the walk is in: "" at its top. */
static void leave(struct buf *path)
{
	while (path->n && path->p[path->n - 1] != '/')
		path->n--;
	path->n -= path->n > 0;
}

int extra_files_add(struct extra_files *x, const char *dir, struct err *err)
{
	_cleanup_(walk_freep) struct walk *walk = walk_dir_new(AT_FDCWD, dir, 0);
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	struct walk_entry ent;
	int rc = walk_next(walk, &ent, err);

	if (rc == 0 && ent.kind != WALK_DIR)
		return err_set(err, ERR_USAGE, "%s: not a directory", dir);
	while (rc == 0 && (rc = walk_next(walk, &ent, err)) == 0) {
		_free_ char *full = NULL, *place = NULL;

		if (ent.kind == WALK_UP) {
			leave(&path);
			continue;
		}
		full = xasprintf("%.*s/%.*s", (int)path.n, path.n ? path.p : "", STR_ARG(ent.name));
		place = extra_files_place(x, full);
		rc = check_place(x, full, err);
		if (rc == 0)
			rc = check_free(x, place, ent.kind, err);
		if (rc < 0)
			return err_prefix(err, "%s", dir);
		rc = add_entry(x, walk, &ent, place, err);
		if (rc == 0 && ent.kind == WALK_DIR) {
			buf_reset(&path);
			buf_puts(&path, full);
		}
	}
	return rc < 0 ? rc : 0;
}

int extra_files_put_file(struct tree *root, const char *path, uint32_t mode, const void *p,
                         size_t n, struct err *err)
{
	enum walk_kind there;

	if (tree_find(root, path, &there))
		return err_set(err, ERR_EXISTS, "%s is also in --extra-files", path);
	tree_file(root, path, mode, p, n);
	return 0;
}

int extra_files_put_dir(struct tree *root, const char *path, uint32_t mode, struct err *err)
{
	enum walk_kind there;

	if (tree_find(root, path, &there) && there != WALK_DIR)
		return err_set(err, ERR_EXISTS, "%s in --extra-files is not a directory", path);
	tree_dir(root, path, mode, 0, 0);
	return 0;
}
