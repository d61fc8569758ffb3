/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into domstrap, to do something at an exact moment.
 *
 *     MEDDLE_AT=CALL:N     before its Nth call of CALL,
 *     MEDDLE=COMMAND       run a shell command; $PPID is domstrap
 *     MEDDLE_ERRNO=NUMBER  and let the call fail
 *
 * CALL: ftruncate64 (once, after counting and before copying), pwrite64,
 * fallocate64, fsync, linkat, renameat2.
 *
 *     MEDDLE_NO_TMPFILE=1  the host's file system does not support O_TMPFILE
 *     MEDDLE_NO_PUNCH=1    its files and devices cannot release blocks
 *     MEDDLE_NO_ZEROOUT=1  its kernel cannot zero blocks of devices
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum call { FTRUNCATE, PWRITE, FALLOCATE, FSYNC, LINKAT, RENAMEAT2, CALLS };

static const char *const names[CALLS] = {
        "ftruncate64", "pwrite64", "fallocate64", "fsync", "linkat", "renameat2",
};
static atomic_uint counts[CALLS];

/* Not system(3), during which the caller ignores SIGINT. */
static void run(const char *command)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status != 0)
		abort();
}

/* Whether the call must fail; then errno is set. */
static bool meddle(enum call call)
{
	const char *at = getenv("MEDDLE_AT"), *command = getenv("MEDDLE");
	const char *error = getenv("MEDDLE_ERRNO");
	size_t n = strlen(names[call]);
	unsigned count = atomic_fetch_add(&counts[call], 1) + 1;

	if (!at || strncmp(at, names[call], n) != 0 || at[n] != ':' ||
	    (unsigned)atoi(at + n + 1) != count)
		return false;
	if (command) {
		/* Not for the shell itself. */
		unsetenv("LD_PRELOAD");
		run(command);
	}
	if (!error)
		return false;
	errno = atoi(error);
	return true;
}

#define REAL(fn) ((__typeof__(&(fn)))(uintptr_t)dlsym(RTLD_NEXT, #fn))

int ftruncate64(int fd, off64_t n)
{
	return meddle(FTRUNCATE) ? -1 : REAL(ftruncate64)(fd, n);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t off)
{
	return meddle(PWRITE) ? -1 : REAL(pwrite64)(fd, p, n, off);
}

int fallocate64(int fd, int mode, off64_t off, off64_t n);
int fallocate64(int fd, int mode, off64_t off, off64_t n)
{
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE) && getenv("MEDDLE_NO_PUNCH")) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return meddle(FALLOCATE) ? -1 : REAL(fallocate64)(fd, mode, off, n);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *p;

	va_start(ap, request);
	p = va_arg(ap, void *);
	va_end(ap);
	if (request == BLKZEROOUT && getenv("MEDDLE_NO_ZEROOUT")) {
		errno = ENOTTY;
		return -1;
	}
	return REAL(ioctl)(fd, request, p);
}

int fsync(int fd)
{
	return meddle(FSYNC) ? -1 : REAL(fsync)(fd);
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
	return meddle(LINKAT) ? -1 : REAL(linkat)(from, old, to, new, flags);
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags);
int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
	return meddle(RENAMEAT2) ? -1 : REAL(renameat2)(from, old, to, new, flags);
}

int openat64(int dir, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	if ((flags & O_TMPFILE) == O_TMPFILE && getenv("MEDDLE_NO_TMPFILE")) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return REAL(openat64)(dir, path, flags, mode);
}
