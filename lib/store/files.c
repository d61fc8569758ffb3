/* SPDX-License-Identifier: MIT */
#include "store/files.h"
#include "base/io.h"
#include "base/mem.h"
#include "nix/store_path.h"
#include "store/resolve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int store_files_host(struct store_files *f, const char *root, struct err *err)
{
	f->ops = NULL;
	return resolve_root(root, &f->root, err);
}

void store_files_fini(struct store_files *f)
{
	free(f->root);
	f->root = NULL;
}

/* For ops that lack a function. */
static int not_here(const char *path, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED, "%s: cannot be read here", path);
}

/* As store_files_look(), for a path whose directories are no links. */
static int look(struct store_files *f, const char *real, enum walk_kind *kind, struct buf *target,
                struct err *err)
{
	_free_ char *host = NULL;
	char link[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (f->ops)
		return f->ops->look(f, real, kind, target, err);
	host = xasprintf("%s%s", f->root, real);
	if (lstat(host, &st) < 0)
		return err_sys(err, errno, "%s", host);
	*kind = S_ISREG(st.st_mode)   ? WALK_FILE
	        : S_ISDIR(st.st_mode) ? WALK_DIR
	        : S_ISLNK(st.st_mode) ? WALK_LINK
	                              : WALK_UP;
	if (*kind != WALK_LINK)
		return 0;
	n = readlink(host, link, sizeof link);
	if (n < 0)
		return err_sys(err, errno, "%s", host);
	buf_put(target, link, (size_t)n);
	return 0;
}

int store_files_look(struct store_files *f, const char *path, enum walk_kind *kind,
                     struct buf *target, struct err *err)
{
	const char *slash = strrchr(path, '/');
	_free_ char *dir = xstrndup(path, (size_t)(slash ? slash - path : 0)), *real = NULL;
	_free_ char *end = NULL;
	struct store_path sp;
	struct str rest;
	int rc = store_path_split(str_from(path), &sp, &rest, err);

	/* A store path itself, or a name in a directory of one. */
	if (rc == 0 && rest.n)
		rc = resolve_in_store(f, dir, &real, err);
	if (rc < 0)
		return rc;
	end = xasprintf("%s%s", rest.n ? real : dir, slash);
	return look(f, end, kind, target, err);
}

int store_files_find(struct store_files *f, const char *path, char **real, struct err *err)
{
	_free_ char *found = NULL;
	_cleanup_(buf_fini) struct buf target = BUF_INIT;
	enum walk_kind kind;
	int rc = resolve_in_store(f, path, &found, err);

	if (rc == 0)
		rc = look(f, found, &kind, &target, err);
	if (rc < 0)
		return rc;
	if (kind != WALK_FILE)
		return err_set(err, ERR_FORMAT, "%s%s: not a regular file", f->root, found);
	*real = take(&found);
	return 0;
}

int store_files_open(struct store_files *f, const char *path, int *fd, uint64_t *size,
                     struct err *err)
{
	_free_ char *real = NULL, *host = NULL;
	_close_ int got = -1;
	struct stat st;
	int rc = store_files_find(f, path, &real, err);

	if (rc < 0)
		return rc;
	if (f->ops)
		return f->ops->open ? f->ops->open(f, real, fd, size, err) : not_here(real, err);
	host = xasprintf("%s%s", f->root, real);
	got = open(host, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (got < 0 || fstat(got, &st) < 0)
		return err_sys(err, errno, "%s", host);
	*size = (uint64_t)st.st_size;
	*fd = got;
	got = -1;
	return 0;
}

static int read_open(struct store_files *f, const char *path, size_t limit, struct buf *out,
                     struct err *err)
{
	_close_ int fd = -1;
	char piece[16384];
	uint64_t size;
	size_t got;
	int rc = store_files_open(f, path, &fd, &size, err);

	if (rc < 0)
		return rc;
	if (size > limit)
		return err_set(err, ERR_LIMIT, "%s: larger than the limit of %zu bytes", path,
		               limit);
	do {
		rc = io_read(fd, path, piece, sizeof piece, &got, err);
		if (rc < 0)
			return rc;
		buf_put(out, piece, got);
	} while (got == sizeof piece);
	return 0;
}

int store_files_read(struct store_files *f, const char *path, size_t limit, struct buf *out,
                     struct err *err)
{
	_free_ char *real = NULL;
	int rc;

	if (!f->ops || !f->ops->read)
		return read_open(f, path, limit, out, err);
	rc = store_files_find(f, path, &real, err);
	return rc < 0 ? rc : f->ops->read(f, real, limit, out, err);
}

static int list_host(const struct store_files *f, const char *real, struct buf *names,
                     struct err *err)
{
	_free_ char *host = xasprintf("%s%s", f->root, real);
	DIR *dir = opendir(host);
	struct dirent *de;

	if (!dir)
		return err_sys(err, errno, "%s", host);
	while ((de = readdir(dir)))
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			buf_put(names, de->d_name, strlen(de->d_name) + 1);
	closedir(dir);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int store_files_list(struct store_files *f, const char *path, char ***names, size_t *n,
                     struct err *err)
{
	_cleanup_(buf_fini) struct buf all = BUF_INIT;
	_free_ char *real = NULL;
	char **list = NULL;
	size_t count = 0, cap = 0;
	int rc = resolve_in_store(f, path, &real, err);

	if (rc == 0)
		rc = !f->ops        ? list_host(f, real, &all, err)
		     : f->ops->list ? f->ops->list(f, real, &all, err)
		                    : not_here(real, err);
	if (rc < 0)
		return rc;
	for (size_t at = 0; at < all.n; at += strlen(all.p + at) + 1) {
		GROW(list, count, cap);
		list[count++] = xstrdup(all.p + at);
	}
	if (count > 1)
		qsort(list, count, sizeof *list, by_name);
	*names = list;
	*n = count;
	return 0;
}

int store_files_missing(struct store_files *f, const char *path, struct err *err)
{
	_cleanup_(buf_fini) struct buf target = BUF_INIT;
	enum walk_kind kind;
	int rc = look(f, path, &kind, &target, err);

	return rc == -ERR_NOENT ? 1 : rc;
}
