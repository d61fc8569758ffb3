/* SPDX-License-Identifier: MIT */
#include "base/io.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void io_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

int io_read(int fd, const char *name, void *p, size_t n, size_t *got, struct err *err)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = read(fd, (char *)p + done, n - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(err, errno, "%s: read", name);
		if (r == 0)
			break;
		done += (size_t)r;
	}
	*got = done;
	return 0;
}

int64_t io_pread(int fd, const char *name, void *p, size_t n, uint64_t off, struct err *err)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = pread(fd, (char *)p + done, n - done, (off_t)(off + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(err, errno, "%s: read of %zu bytes at %llu", name, n - done,
			               (unsigned long long)(off + done));
		if (r == 0)
			break;
		done += (size_t)r;
	}
	return (int64_t)done;
}

int io_write(int fd, const char *name, const void *p, size_t n, struct err *err)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = write(fd, (const char *)p + done, n - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(err, errno, "%s: write", name);
		done += (size_t)r;
	}
	return 0;
}

int io_pwrite(int fd, const char *name, const void *p, size_t n, uint64_t off, struct err *err)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = pwrite(fd, (const char *)p + done, n - done, (off_t)(off + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(err, errno, "%s: write of %zu bytes at %llu", name, n - done,
			               (unsigned long long)(off + done));
		done += (size_t)r;
	}
	return 0;
}

int io_read_file(int dirfd, const char *path, size_t limit, struct buf *out, struct err *err)
{
	/* O_NONBLOCK: opening a FIFO must not block. */
	_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	char piece[16384];
	size_t got, total = 0;
	int rc;

	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "%s: stat", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_FORMAT, "%s: not a regular file", path);
	do {
		rc = io_read(fd, path, piece, sizeof piece, &got, err);
		if (rc < 0)
			return rc;
		total += got;
		if (total > limit)
			return err_set(err, ERR_LIMIT, "%s: larger than the limit of %zu bytes",
			               path, limit);
		buf_put(out, piece, got);
	} while (got == sizeof piece);
	return 0;
}

int io_sync(int fd, const char *name, struct err *err)
{
	if (fsync(fd) < 0)
		return err_sys(err, errno, "%s: sync", name);
	return 0;
}

#define LOCK_PAUSE_MS 20u

int io_lock(int fd, const char *name, bool alone, unsigned wait_ms, struct err *err)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000l};

	while (flock(fd, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return 0;
		if (wait_ms < LOCK_PAUSE_MS)
			return err_set(err, ERR_BUSY, "%s: another program has locked it", name);
		nanosleep(&pause, NULL);
		wait_ms -= LOCK_PAUSE_MS;
	}
	return 0;
}
