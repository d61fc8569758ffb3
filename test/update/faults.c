/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a program under test: makes its Nth step fail, or records what it
 * writes to its disks.
 *
 *     FAULT_ON=LIST    what counts as a step (default write,sync):
 *                write pwrite(), fallocate(), ftruncate(), a device's BLKZEROOUT
 *                sync  fsync(), fdatasync()
 *                read  pread(), read()
 *                alloc malloc() and similar functions
 *                name  renameat2(), linkat(), unlinkat()
 *     FAULT_AT=N       which step, from 1
 *     FAULT_KIND=kill  the process dies before it (default)
 *                torn  half of the write happens, in whole blocks; then it dies
 *                eio   this step and all later ones fail with EIO
 *                full  this write and all later ones fail with ENOSPC
 *                once  only this step fails: EIO, ENOMEM
 *                short this write or read transfers only half of the bytes
 *                stop  the process waits for SIGCONT before it, once
 *     FAULT_COUNT=FILE at exit, the number of steps is written to this file
 *     FAULT_BAD=FILE:OFFSET  a sector that can never be read
 *     FAULT_LOG=FILE   every write, hole and sync of "*.img" and "*.blk" is appended
 *
 * A file named "*.blk" is a block device to the program, so that tests need not
 * run as root. Steps are counted over all of the program's processes. A process in a jail
 * cannot find out the path of a descriptor, so dup2() records it before; it cannot open the
 * log, so the log is in shared memory until the first process ends.
 */
#undef _FORTIFY_SOURCE /* its inline read() and pread() conflict with those defined here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults.h"

/* off_t has 64 bits here, so pwrite() is pwrite64() to the linker, and so on. */

#define NAMES 1024
#define LOG_BYTES (4ull << 30)

enum kind {
	KILL,
	TORN,
	EIO_ALL,
	FULL,
	ONCE,
	SHORT,
	STOP,
};

static const char *const kinds[] = {"kill", "torn", "eio", "full", "once", "short", "stop"};

static _Atomic long *steps;
static long want, bad_at = -1;
static unsigned on;
static enum kind kind;
static const char *count_file, *bad_file, *log_file;
static struct log {
	_Atomic uint64_t n;
	char bytes[];
} *written;
static char *names[NAMES]; /* by descriptor, in a jail */
static pid_t owner;

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_pread)(int, void *, size_t, off_t);
static ssize_t (*real_read)(int, void *, size_t);
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_ftruncate)(int, off_t);
static int (*real_fallocate)(int, int, off_t, off_t), (*real_ioctl)(int, unsigned long, void *);
static int (*real_renameat2)(int, const char *, int, const char *, unsigned);
static int (*real_linkat)(int, const char *, int, const char *, int);
static int (*real_unlinkat)(int, const char *, int);
static int (*real_dup2)(int, int);
static int (*real_fstat)(int, struct stat *), (*real_stat)(const char *, struct stat *);

static void find(void *function, const char *name)
{
	*(void **)function = dlsym(RTLD_NEXT, name);
}

static void *share(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
	               -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void read_environment(void)
{
	const char *list = getenv("FAULT_ON"), *at = getenv("FAULT_AT"), *k = getenv("FAULT_KIND");
	char *colon;

	for (size_t i = 0; k && i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(k, kinds[i]))
			kind = (enum kind)i;
	list = list ? list : "write,sync";
	on = (strstr(list, "write") ? WRITE : 0) | (strstr(list, "sync") ? SYNC : 0) |
	     (strstr(list, "read") ? READ : 0) | (strstr(list, "alloc") ? ALLOC : 0) |
	     (strstr(list, "name") ? NAME : 0);
	want = at ? atol(at) : 0;
	count_file = getenv("FAULT_COUNT");
	bad_file = getenv("FAULT_BAD");
	log_file = getenv("FAULT_LOG");
	if (bad_file && (colon = strrchr(bad_file, ':'))) {
		bad_at = atol(colon + 1);
		bad_file = strndup(bad_file, (size_t)(colon - bad_file));
	}
	if (log_file)
		written = share(LOG_BYTES);
}

__attribute__((constructor)) static void begin(void)
{
	find(&real_pwrite, "pwrite64");
	find(&real_pread, "pread64");
	find(&real_read, "read");
	find(&real_fsync, "fsync");
	find(&real_fdatasync, "fdatasync");
	find(&real_ftruncate, "ftruncate64");
	find(&real_fallocate, "fallocate64");
	find(&real_ioctl, "ioctl");
	find(&real_renameat2, "renameat2");
	find(&real_linkat, "linkat");
	find(&real_unlinkat, "unlinkat");
	find(&real_dup2, "dup2");
	find(&real_fstat, "fstat64");
	find(&real_stat, "stat64");
	owner = getpid();
	read_environment();
	steps = share(sizeof *steps);
}

__attribute__((destructor)) static void report(void)
{
	FILE *f;

	on = 0;
	/* In a jail nothing can be opened. */
	if (names[0] || getpid() != owner)
		return;
	f = count_file ? fopen(count_file, "w") : NULL;
	if (f) {
		fprintf(f, "%ld\n", atomic_load(steps));
		fclose(f);
	}
	f = written ? fopen(log_file, "a") : NULL;
	if (f) {
		fwrite(written->bytes, 1, atomic_load(&written->n), f);
		fclose(f);
	}
}

/* ---- which step ----------------------------------------------------------- */

/* Whether this step must fail. */
static int due(unsigned what)
{
	long n;

	if (!steps || !(on & what))
		return 0;
	n = atomic_fetch_add(steps, 1) + 1;
	if (!want || n < want)
		return 0;
	return n == want || kind == EIO_ALL || kind == FULL;
}

static void nothing(int sig)
{
}

/* 1: the call must fail with errno. */
static int fault(unsigned what)
{
	switch (kind) {
	case EIO_ALL:
	case ONCE:
		errno = what == ALLOC ? ENOMEM : EIO;
		return 1;
	case FULL:
		errno = ENOSPC;
		return what == WRITE;
	case SHORT:
		return 0;
	case STOP:
		/* A process in a jail cannot send itself a signal. */
		signal(SIGCONT, nothing);
		poll(NULL, 0, -1);
		return 0;
	default:
		raise(SIGKILL);
		return 1;
	}
}

int fails(unsigned what)
{
	return due(what) && fault(what);
}

/* ---- the log -------------------------------------------------------------- */

static int proc_path(int fd, char path[4096])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, 4095);
	if (n < 0)
		return 0;
	path[n] = 0;
	return 1;
}

static int path_of(int fd, char path[4096])
{
	if (!names[0])
		return proc_path(fd, path);
	if (fd < 0 || fd >= NAMES || !names[fd])
		return 0;
	strcpy(path, names[fd]);
	return 1;
}

static int ends(const char *path, const char *with)
{
	size_t n = strlen(path), m = strlen(with);

	return n >= m && !strcmp(path + n - m, with);
}

static int is_device(int fd)
{
	char path[4096];

	return path_of(fd, path) && ends(path, ".blk");
}

/* A record: what, size of the path, offset, length, size of the data; path; data. */
static void note(char what, int fd, off_t off, uint64_t len, const void *data)
{
	char path[4096];
	uint64_t head[4];
	int saved = errno;
	char *to;

	if (!written || !path_of(fd, path) || !(strstr(path, ".img") || ends(path, ".blk")))
		return;
	head[0] = strlen(path);
	head[1] = (uint64_t)off;
	head[2] = len;
	head[3] = data ? len : 0;
	to = written->bytes + atomic_fetch_add(&written->n, 1 + sizeof head + head[0] + head[3]);
	if (to + 1 + sizeof head + head[0] + head[3] > (char *)written + LOG_BYTES)
		abort();
	*to++ = what;
	memcpy(to, head, sizeof head);
	memcpy(to + sizeof head, path, head[0]);
	if (data)
		memcpy(to + sizeof head + head[0], data, head[3]);
	errno = saved;
}

/*
 * A jail gets its descriptors with this call: record their paths while that is possible. The
 * first is its line, which has no path.
 */
int dup2(int from, int to)
{
	char path[4096];
	int rc;

	if (to >= 0 && to < NAMES && to != STDOUT_FILENO && to != STDERR_FILENO) {
		int known = proc_path(from, path);

		rc = real_dup2(from, to);
		if (rc >= 0)
			names[to] = strdup(known ? path : "");
		return rc;
	}
	return real_dup2(from, to);
}

/* ---- writing -------------------------------------------------------------- */

ssize_t pwrite(int fd, const void *p, size_t n, off_t off)
{
	ssize_t done;

	if (due(WRITE)) {
		if (kind == TORN)
			(void)!real_pwrite(fd, p, n / 2 / 4096 * 4096, off);
		if (kind == SHORT && n > 1)
			n /= 2;
		if (fault(WRITE))
			return -1;
	}
	done = real_pwrite(fd, p, n, off);
	if (done > 0)
		note('W', fd, off, (uint64_t)done, p);
	return done;
}

int fallocate(int fd, int mode, off_t off, off_t n)
{
	int rc;

	if (fails(WRITE))
		return -1;
	rc = real_fallocate(fd, mode, off, n);
	if (rc == 0 && mode & FALLOC_FL_PUNCH_HOLE)
		note('Z', fd, off, (uint64_t)n, NULL);
	return rc;
}

int ftruncate(int fd, off_t n)
{
	int rc;

	if (fails(WRITE))
		return -1;
	rc = real_ftruncate(fd, n);
	if (rc == 0)
		note('T', fd, n, 0, NULL);
	return rc;
}

int fsync(int fd)
{
	int rc = fails(SYNC) ? -1 : real_fsync(fd);

	if (rc == 0)
		note('S', fd, 0, 0, NULL);
	return rc;
}

int fdatasync(int fd)
{
	int rc = fails(SYNC) ? -1 : real_fdatasync(fd);

	if (rc == 0)
		note('S', fd, 0, 0, NULL);
	return rc;
}

/* ---- names ---------------------------------------------------------------- */

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return fails(NAME) ? -1 : real_renameat2(from_dir, from, to_dir, to, flags);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	return fails(NAME) ? -1 : real_linkat(from_dir, from, to_dir, to, flags);
}

int unlinkat(int dir, const char *name, int flags)
{
	return fails(NAME) ? -1 : real_unlinkat(dir, name, flags);
}

/* ---- reading -------------------------------------------------------------- */

static int is_bad(int fd, off_t off, size_t n)
{
	char path[4096];

	return bad_at >= 0 && off < bad_at + 512 && off + (off_t)n > bad_at && path_of(fd, path) &&
	       ends(path, bad_file);
}

ssize_t pread(int fd, void *p, size_t n, off_t off)
{
	if (is_bad(fd, off, n)) {
		errno = EIO;
		return -1;
	}
	if (due(READ)) {
		if (kind == SHORT && n > 1)
			n /= 2;
		if (fault(READ))
			return -1;
	}
	return real_pread(fd, p, n, off);
}

ssize_t read(int fd, void *p, size_t n)
{
	if (fails(READ))
		return -1;
	return real_read(fd, p, n);
}

/* ---- block devices that are files ----------------------------------------- */

static void pretend(struct stat *st)
{
	st->st_mode = (st->st_mode & 07777) | S_IFBLK;
	st->st_rdev = 0x700 + (st->st_ino & 0xff);
}

int fstat(int fd, struct stat *st)
{
	int rc = real_fstat(fd, st);

	if (rc == 0 && S_ISREG(st->st_mode) && is_device(fd))
		pretend(st);
	return rc;
}

int stat(const char *path, struct stat *st)
{
	int rc = real_stat(path, st);

	if (rc == 0 && S_ISREG(st->st_mode) && ends(path, ".blk"))
		pretend(st);
	return rc;
}

static int zero_out(int fd, const uint64_t range[2])
{
	int rc = fails(WRITE) ? -1
	                      : real_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	                                       (off_t)range[0], (off_t)range[1]);

	if (rc == 0)
		note('Z', fd, (off_t)range[0], range[1], NULL);
	return rc;
}

int ioctl(int fd, unsigned long request, ...);

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if ((request >> 8 & 0xff) != 0x12 || !is_device(fd))
		return real_ioctl(fd, request, arg);
	switch (request) {
	case BLKGETSIZE64:
		*(uint64_t *)arg = (uint64_t)lseek(fd, 0, SEEK_END);
		return 0;
	case BLKSSZGET:
		*(int *)arg = 512;
		return 0;
	case BLKROGET:
		*(int *)arg = 0;
		return 0;
	case BLKZEROOUT:
		return zero_out(fd, arg);
	case BLKRRPART:
	case BLKFLSBUF:
		return 0;
	default:
		errno = ENOTTY;
		return -1;
	}
}
