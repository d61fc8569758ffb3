/* SPDX-License-Identifier: MIT */
#include "base/io.h"
#include "base/mem.h"
#include "cache/cache_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE_DIR 0700
#define MODE_FILE 0600

struct cache_dir {
	char *path;
	int fd;
	bool made; /* opened with make; else it is only read */
};

static const char *const rooms[] = {"nar", "narinfo"};

static int make_dirs(const char *path, struct err *err)
{
	_free_ char *copy = xstrdup(path);

	for (char *at = copy + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(copy, MODE_DIR) < 0 && errno != EEXIST)
			return err_sys(err, errno, "%s", copy);
		*at = '/';
	}
	if (mkdir(copy, MODE_DIR) < 0 && errno != EEXIST)
		return err_sys(err, errno, "%s", copy);
	return 0;
}

int cache_dir_open(const char *path, bool make, struct cache_dir **out, struct err *err)
{
	_close_ int fd = -1;
	struct cache_dir *d;
	int rc = 0;

	if (!*path)
		return err_set(err, ERR_USAGE, "empty path; use \"none\" to disable the cache");
	if (make)
		rc = make_dirs(path, err);
	if (rc < 0)
		return rc;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	for (size_t i = 0; make && i < ARRAY_LEN(rooms); i++)
		if (mkdirat(fd, rooms[i], MODE_DIR) < 0 && errno != EEXIST)
			return err_sys(err, errno, "%s/%s", path, rooms[i]);
	d = xcalloc(1, sizeof *d);
	d->path = xstrdup(path);
	d->fd = fd;
	d->made = make;
	fd = -1;
	*out = d;
	return 0;
}

void cache_dir_free(struct cache_dir *d)
{
	if (!d)
		return;
	io_close(&d->fd);
	free(d->path);
	free(d);
}

int cache_dir_get(const struct cache_dir *d, const char *name)
{
	int fd = openat(d->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
		io_close(&fd);
	return fd;
}

int cache_dir_begin(const struct cache_dir *d, int *fd, struct err *err)
{
	if (!d->made)
		return 1;
	*fd = openat(d->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, MODE_FILE);
	return *fd < 0 ? err_sys(err, errno, "%s", d->path) : 0;
}

void cache_dir_keep(const struct cache_dir *d, int fd, const char *name)
{
	char self[64];

	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	for (int i = 0; i < 2; i++) {
		if (linkat(AT_FDCWD, self, d->fd, name, AT_SYMLINK_FOLLOW) == 0 || errno != EEXIST)
			return;
		cache_dir_drop(d, name);
	}
}

void cache_dir_drop(const struct cache_dir *d, const char *name)
{
	if (d->made && unlinkat(d->fd, name, 0) < 0 && errno == EISDIR)
		(void)unlinkat(d->fd, name, AT_REMOVEDIR);
}

int cache_dir_read(const struct cache_dir *d, const char *name, size_t limit, struct buf *out)
{
	_close_ int fd = cache_dir_get(d, name);
	struct err err = ERR_INIT;
	struct stat st;
	size_t got;

	if (fd < 0)
		return 1;
	if (fstat(fd, &st) < 0 || st.st_size <= 0 || (uint64_t)st.st_size > limit)
		return 1;
	buf_reset(out);
	buf_zeros(out, (size_t)st.st_size);
	if (io_read(fd, name, out->p, out->n, &got, &err) < 0)
		return 1;
	out->n = got;
	return got ? 0 : 1;
}

void cache_dir_write(const struct cache_dir *d, const char *name, struct str bytes)
{
	struct err err = ERR_INIT;
	_close_ int fd = -1;

	if (cache_dir_begin(d, &fd, &err) == 0 && io_write(fd, name, bytes.p, bytes.n, &err) == 0)
		cache_dir_keep(d, fd, name);
}

static int use_room(const struct cache_dir *d, const char *room, bool remove,
                    struct cache_dir_usage *sum, struct err *err)
{
	int fd = openat(d->fd, room, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *de;
	struct stat st;
	int rc = 0;

	if (!dir && errno == ENOENT)
		return 0;
	if (!dir) {
		rc = err_sys(err, errno, "%s/%s", d->path, room);
		io_close(&fd);
		return rc;
	}
	while (rc == 0 && (de = readdir(dir))) {
		if (fstatat(fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode))
			continue;
		sum->files++;
		sum->bytes += (uint64_t)st.st_blocks * 512;
		if (remove && unlinkat(fd, de->d_name, 0) < 0)
			rc = err_sys(err, errno, "%s/%s/%s", d->path, room, de->d_name);
	}
	closedir(dir);
	return rc;
}

int cache_dir_usage(const struct cache_dir *d, bool remove, struct cache_dir_usage *out,
                    struct err *err)
{
	struct cache_dir_usage sum = {0};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(rooms) && rc == 0; i++)
		rc = use_room(d, rooms[i], remove, &sum, err);
	*out = sum;
	return rc;
}
