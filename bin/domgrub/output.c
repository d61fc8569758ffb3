/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

/* Space that stays free: a sixteenth of the file system, at most this. */
#define RESERVE_MAX (16ull << 20)

/* A directory that the user named must exist; the default one is made. */
static int directory_check(const struct options *o, const char **out, struct err *err)
{
	const char *dir = o->directory ? o->directory : DEFAULT_DIRECTORY;
	struct stat st;

	if (!o->directory && mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_sys(err, errno, "%s", dir);
	if (stat(dir, &st) < 0)
		return err_sys(err, errno, "%s", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_USAGE, "%s: not an existing directory", dir);
	*out = dir;
	return 0;
}

int output_make(const struct options *o, const char *name, struct output *out, struct err *err)
{
	_free_ char *absolute = NULL;
	const char *dir = NULL;
	int rc = directory_check(o, &dir, err);
	int fd;

	if (rc < 0)
		return rc;
	absolute = realpath(dir, NULL);
	if (!absolute)
		return err_sys(err, errno, "%s", dir);
	out->path = xasprintf("%s/%s.XXXXXX", absolute, name);
	fd = mkostemp(out->path, O_CLOEXEC); /* 0600 */
	if (fd < 0) {
		err_sys(err, errno, "%s", out->path);
		free(take(&out->path));
		return -(int)err->code;
	}
	out->fd = fd;
	return 0;
}

int output_room(const struct output *out, uint64_t bytes, struct err *err)
{
	struct statvfs fs;
	uint64_t size, room, reserve;

	if (!out->path)
		return 0;
	if (fstatvfs(out->fd, &fs) < 0)
		return err_sys(err, errno, "%s: statvfs", out->path);
	size = (uint64_t)fs.f_blocks * fs.f_frsize;
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	reserve = MIN(size / 16, RESERVE_MAX);
	if (room >= reserve && bytes <= room - reserve)
		return 0;
	return err_set(err, ERR_SPACE,
	               "%s: kernel and ramdisk need %" PRIu64
	               " bytes, but its file system has %" PRIu64
	               " free, of which domgrub leaves %" PRIu64
	               " unused; choose another directory with --output-directory, or with "
	               "output-directory in /etc/domgrub.conf",
	               out->path, bytes, room, reserve);
}

int output_check(const struct output *out, uint64_t size, struct err *err)
{
	struct stat st;

	if (fstat(out->fd, &st) < 0)
		return err_sys(err, errno, "%s", out->path);
	if ((uint64_t)st.st_size != size)
		return err_set(err, ERR_CHILD, "%s: %lld bytes were copied, expected %" PRIu64,
		               out->path, (long long)st.st_size, size);
	return 0;
}

void output_remove(struct output *out)
{
	if (out->path)
		(void)unlink(out->path);
	output_keep(out);
}

void output_keep(struct output *out)
{
	free(take(&out->path));
	io_close(&out->fd);
}

int answer_open(const struct options *o, struct answer *out, struct err *err)
{
	const int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY;
	struct answer a = ANSWER_INIT;

	*out = a;
	if (!o->output || strcmp(o->output, "-") == 0)
		return 0;
	a.path = o->output;
	a.fd = open(a.path, flags);
	if (a.fd < 0 && errno == ENOENT) {
		a.fd = open(a.path, flags | O_CREAT | O_EXCL, 0600);
		a.made = true;
	}
	if (a.fd < 0)
		return err_sys(err, errno, "%s", a.path);
	*out = a;
	return 0;
}

/* The old contents of a file must not become part of the answer. */
static int answer_empty(const struct answer *a, struct err *err)
{
	struct stat st;

	if (a->path && fstat(a->fd, &st) == 0 && S_ISREG(st.st_mode) && ftruncate(a->fd, 0) < 0)
		return err_sys(err, errno, "%s", a->path);
	return 0;
}

int answer_write(struct answer *a, enum handoff_format format, const struct handoff *h,
                 struct err *err)
{
	struct buf b = BUF_INIT;
	struct err ignored;
	int rc = handoff_put(h, format, &b, err);

	if (rc == 0)
		rc = answer_empty(a, err);
	if (rc == 0) {
		rc = io_write(a->fd, a->path ? a->path : "standard output", b.p, b.n, err);
		if (rc < 0)
			(void)answer_empty(a, &ignored);
	}
	a->whole = rc == 0;
	buf_fini(&b);
	return rc;
}

void answer_fini(struct answer *a)
{
	if (!a->path)
		return;
	if (a->made && !a->whole)
		(void)unlink(a->path);
	io_close(&a->fd);
	a->path = NULL;
}
