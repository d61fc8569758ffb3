/* SPDX-License-Identifier: MIT */
#include "base/outfile.h"
#include "base/io.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char *stand_in(const char *name)
{
	return xasprintf(".%s.domstrap-new", name);
}

/*
 * Open the hidden file. If it exists and is not locked, a run that was killed
 * left it: lock it and discard its contents.
 */
static int open_stand_in(struct outfile *o, mode_t mode, struct err *err)
{
	o->tmp = stand_in(o->name);
	o->fd = openat(o->dirfd, o->tmp, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
	if (o->fd < 0) {
		free(take(&o->tmp));
		return err_sys(err, errno, "%s", o->path);
	}
	if (flock(o->fd, LOCK_EX | LOCK_NB) < 0) {
		free(take(&o->tmp));
		return err_set(err, ERR_BUSY, "%s: another process is writing it", o->path);
	}
	if (ftruncate(o->fd, 0) < 0 || fchmod(o->fd, mode) < 0)
		return err_sys(err, errno, "%s", o->path);
	return 0;
}

/* Remove the hidden file of an earlier run, unless that run still has it locked. */
static void sweep(struct outfile *o)
{
	_free_ char *tmp = stand_in(o->name);
	_close_ int fd = openat(o->dirfd, tmp, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(o->dirfd, tmp, 0);
}

int outfile_open(struct outfile *o, const char *dir, const char *name, mode_t mode, struct err *err)
{
	mode_t mask = umask(0);

	umask(mask);
	*o = (struct outfile)OUTFILE_INIT;
	o->dir = xstrdup(dir);
	o->name = xstrdup(name);
	o->path = xasprintf("%s/%s", dir, name);
	o->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->dirfd < 0)
		return err_sys(err, errno, "%s", dir);
	sweep(o);
	o->fd = openat(o->dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode & ~mask);
	if (o->fd >= 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)
		return err_sys(err, errno, "%s", o->path);
	return open_stand_in(o, mode & ~mask, err);
}

int outfile_check(const char *dir, const char *name, bool replace, struct err *err)
{
	_free_ char *path = xasprintf("%s/%s", dir, name);
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(err, errno, "%s", path);
	if (!replace)
		return err_set(err, ERR_EXISTS, "%s: already exists (--force replaces it)", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_EXISTS, "%s: exists and is not a regular file", path);
	return 0;
}

/* linkat(2) can name a file of O_TMPFILE, but not replace an existing one. */
static int name_nameless(struct outfile *o, const char *name)
{
	char self[64];

	snprintf(self, sizeof self, "/proc/self/fd/%d", o->fd);
	return linkat(AT_FDCWD, self, o->dirfd, name, AT_SYMLINK_FOLLOW);
}

int outfile_publish(struct outfile *o, bool replace, struct err *err)
{
	if (!o->tmp && !replace) {
		if (name_nameless(o, o->name) < 0)
			return err_sys(err, errno, "%s", o->path);
	} else {
		if (!o->tmp) {
			_free_ char *tmp = stand_in(o->name);

			if (name_nameless(o, tmp) < 0)
				return err_sys(err, errno, "%s", o->path);
			o->tmp = take(&tmp);
		}
		if (renameat2(o->dirfd, o->tmp, o->dirfd, o->name, replace ? 0 : RENAME_NOREPLACE) <
		    0)
			return err_sys(err, errno, "%s", o->path);
		free(take(&o->tmp));
	}
	o->published = true;
	return 0;
}

void outfile_rename(struct outfile *o, const char *name)
{
	free(o->name);
	free(o->path);
	o->name = xstrdup(name);
	o->path = xasprintf("%s/%s", o->dir, name);
}

int outfile_sync_dir(struct outfile *o, struct err *err)
{
	return io_sync(o->dirfd, o->dir, err);
}

void outfile_unpublish(struct outfile *o)
{
	if (o->published)
		(void)unlinkat(o->dirfd, o->name, 0);
	o->published = false;
}

void outfile_fini(struct outfile *o)
{
	if (o->tmp)
		(void)unlinkat(o->dirfd, o->tmp, 0);
	io_close(&o->fd);
	io_close(&o->dirfd);
	free(take(&o->tmp));
	free(take(&o->dir));
	free(take(&o->name));
	free(take(&o->path));
}
