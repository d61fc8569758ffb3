/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a program under test: lets its Nth step towards the disk fail.
 * Steps are pwrite(), fsync() and fallocate().
 *
 *     FAULT_AT=N       which step, from 1
 *     FAULT_KIND=kill  the process dies before it (default)
 *                torn  half of the write happens, in whole blocks; then it dies
 *                eio   this one and all that follow fail with EIO
 *                full  writes fail with ENOSPC from here on, for ever
 *     FAULT_COUNT=FILE how many steps there were is written there at exit
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* off_t has 64 bits here, so pwrite() is pwrite64() to the linker, and so on. */

static _Atomic long steps;

static const char *kind(void)
{
	const char *k = getenv("FAULT_KIND");

	return k ? k : "kill";
}

/* Whether this step shall fail. */
static int due(void)
{
	const char *at = getenv("FAULT_AT");
	long n = atomic_fetch_add(&steps, 1) + 1, want = at ? atol(at) : 0;

	if (!want || n < want)
		return 0;
	return n == want || strcmp(kind(), "eio") == 0 || strcmp(kind(), "full") == 0;
}

static int fault(int writes)
{
	if (!strcmp(kind(), "eio")) {
		errno = EIO;
		return 1;
	}
	if (!strcmp(kind(), "full")) {
		errno = ENOSPC;
		return writes;
	}
	raise(SIGKILL);
	return 1;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t off)
{
	ssize_t (*real)(int, const void *, size_t, off_t);

	*(void **)&real = dlsym(RTLD_NEXT, "pwrite64");

	if (due()) {
		if (!strcmp(kind(), "torn"))
			(void)!real(fd, p, n / 2 / 4096 * 4096, off);
		if (fault(1))
			return -1;
	}
	return real(fd, p, n, off);
}

int fsync(int fd)
{
	int (*real)(int);

	*(void **)&real = dlsym(RTLD_NEXT, "fsync");

	if (due() && fault(0))
		return -1;
	return real(fd);
}

int fallocate(int fd, int mode, off_t off, off_t n)
{
	int (*real)(int, int, off_t, off_t);

	*(void **)&real = dlsym(RTLD_NEXT, "fallocate64");

	if (due() && fault(1))
		return -1;
	return real(fd, mode, off, n);
}

__attribute__((destructor)) static void report(void)
{
	const char *path = getenv("FAULT_COUNT");
	FILE *f = path ? fopen(path, "w") : NULL;

	if (!f)
		return;
	fprintf(f, "%ld\n", atomic_load(&steps));
	fclose(f);
}
