/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into domstrap: the bug that an attacker waits for. At read number AT of a
 * guest's disk, a file of SIZE bytes, the process that reads it is taken over and does
 * DEED by system calls of its own. Where that works it ends with status 42.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORKED 42

static long at = -1, size, seen;
static const char *deed;

__attribute__((constructor)) static void begin(void)
{
	const char *number = getenv("AT"), *bytes = getenv("SIZE");

	deed = getenv("DEED");
	if (number && bytes && deed) {
		at = atol(number);
		size = atol(bytes);
	}
}

static long run(void)
{
	const char *const argv[] = {"/bin/true", NULL};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};

	if (!strcmp(deed, "open"))
		return syscall(SYS_openat, AT_FDCWD, "/etc/shadow", O_RDONLY);
	if (!strcmp(deed, "create"))
		return syscall(SYS_openat, AT_FDCWD, "/tmp/taken-over", O_WRONLY | O_CREAT, 0600);
	if (!strcmp(deed, "connect"))
		return syscall(SYS_connect, syscall(SYS_socket, AF_INET, SOCK_STREAM, 0), &to,
		               sizeof to) == 0 ||
		       errno == ECONNREFUSED;
	if (!strcmp(deed, "exec"))
		return syscall(SYS_execve, argv[0], argv, NULL);
	if (!strcmp(deed, "fork"))
		return syscall(SYS_fork);
	if (!strcmp(deed, "ptrace"))
		return syscall(SYS_ptrace, PTRACE_ATTACH, getppid(), NULL, NULL);
	if (!strcmp(deed, "kill"))
		return syscall(SYS_kill, getppid(), SIGKILL);
	/* A descriptor that is none of its own, and standard output. */
	return syscall(SYS_write, 1, "taken over\n", 11);
}

static void count(int fd)
{
	struct stat st;

	if (at < 0 || syscall(SYS_fstat, fd, &st) < 0 || st.st_size != size || seen++ != at)
		return;
	if (run() >= 0)
		syscall(SYS_exit_group, WORKED);
}

ssize_t pread64(int fd, void *p, size_t n, off64_t off)
{
	count(fd);
	return syscall(SYS_pread64, fd, p, n, off);
}

/* What pread64() is called where the compiler checks sizes. */
ssize_t __pread64_chk(int fd, void *p, size_t n, off64_t off, size_t room);
ssize_t __pread64_chk(int fd, void *p, size_t n, off64_t off, size_t room)
{
	return pread64(fd, p, n, off);
}
