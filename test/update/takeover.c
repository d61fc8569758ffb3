/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into domstrap to simulate an exploited bug. At read number AT of a guest's
 * disk (a file of SIZE bytes), of a line to a jail with LINES_OF_JAIL, or else of a server's
 * connection, the process that reads is taken over and tries DEED with direct system calls. If that
 * succeeds, it exits with status 42. LINES_OF_JAIL=N or N-M: of a process before which domstrap
 * made at least N, and at most M, pairs of sockets, so that one can be chosen.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
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
static int of_lines, most_lines = INT_MAX, pairs, taken_fd;
static const char *deed;

__attribute__((constructor)) static void begin(void)
{
	const char *number = getenv("AT"), *bytes = getenv("SIZE"),
	           *lines = getenv("LINES_OF_JAIL");

	deed = getenv("DEED");
	if (lines)
		of_lines = atoi(lines);
	if (lines && strchr(lines, '-'))
		most_lines = atoi(strchr(lines, '-') + 1);
	if (number && deed) {
		at = atol(number);
		size = bytes ? atol(bytes) : -1;
	}
}

/* Send a message from the fetcher to its parent (http_wire.h), with numbers in its body. */
static void say(unsigned type, unsigned body, unsigned a, unsigned b, unsigned c, unsigned d)
{
	unsigned message[] = {type, body, a, b, c, d};

	syscall(SYS_sendto, 0, message, 8 + (body < 16 ? body : 16), MSG_NOSIGNAL, NULL, 0);
}

/* The same on the line on which the process was taken over. */
static void say_here(unsigned type, unsigned body, unsigned a)
{
	unsigned message[] = {type, body, a, 0};

	syscall(SYS_write, taken_fd, message, 8 + body);
}

/* Send a message that no fetcher sends; then send nothing more. */
static void __attribute__((noreturn)) lie(void)
{
	if (!strcmp(deed, "lie-type"))
		say(77, 16, 0, 0, 0, 0);
	if (!strcmp(deed, "lie-size"))
		say(4, 1u << 30, 0, 0, 0, 0);
	if (!strcmp(deed, "lie-number"))
		say(4, 16, 0xfffffff, 0, 0, 1);
	if (!strcmp(deed, "lie-place"))
		say(4, 16, 1, 0xffffffff, 0, 1);
	if (!strcmp(deed, "lie-gone"))
		say(6, 4, 1, 0, 0, 0);
	if (!strcmp(deed, "lie-written-type"))
		say(77, 4, 0, 0, 0, 0);
	if (!strcmp(deed, "lie-written-size"))
		say(1, 16, 0, 0, 0, 0);
	if (!strcmp(deed, "lie-written-line"))
		say_here(77, 4, 0);
	if (!strcmp(deed, "lie-closed"))
		syscall(SYS_shutdown, 0, SHUT_RDWR);
	if (!strcmp(deed, "lie-unpacked-type"))
		say_here(77, 4, 0);
	if (!strcmp(deed, "lie-unpacked-size"))
		say_here(4, 8, 0x7fffffff);
	if (!strcmp(deed, "lie-unpacked-end"))
		say_here(4, 8, 0);
	if (!strcmp(deed, "lie-unpacked-error"))
		say_here(5, 4, 0);
	if (!strcmp(deed, "lie-unpacked-closed"))
		syscall(SYS_shutdown, taken_fd, SHUT_RDWR);
	for (;;)
		poll(NULL, 0, -1);
}

/* Try to change something through any descriptor. */
static long change(void)
{
	long rc = -1;

	for (int fd = 3; fd < 1024 && rc < 0; fd++)
		rc = syscall(SYS_pwrite64, fd, "x", 1, 0);
	return rc;
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
		return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); /* as fork(2) */
	if (!strcmp(deed, "ptrace"))
		return syscall(SYS_ptrace, PTRACE_ATTACH, getppid(), NULL, NULL);
	if (!strcmp(deed, "change"))
		return change();
	if (!strcmp(deed, "listen"))
		return syscall(SYS_listen, syscall(SYS_socket, AF_INET, SOCK_STREAM, 0), 1);
	if (!strncmp(deed, "lie", 3))
		lie();
	if (!strcmp(deed, "kill"))
		return syscall(SYS_kill, getppid(), SIGKILL);
	/* Standard output, which the process must not be able to use. */
	return syscall(SYS_write, 1, "taken over\n", 11);
}

static int is_counted(int fd)
{
	struct sockaddr_in peer = {.sin_family = AF_UNSPEC};
	socklen_t n = sizeof peer;
	struct stat st;

	/* jail.h: the numbers of lines. */
	if (of_lines)
		return pairs >= of_lines && pairs <= most_lines && fd >= 64 && fd < 128;
	if (size >= 0)
		return syscall(SYS_fstat, fd, &st) == 0 && st.st_size == size;
	return syscall(SYS_getpeername, fd, &peer, &n) == 0 && peer.sin_family == AF_INET;
}

static void count(int fd)
{
	if (at < 0 || !is_counted(fd) || seen++ != at)
		return;
	taken_fd = fd;
	if (run() >= 0)
		syscall(SYS_exit_group, WORKED);
}

int socketpair(int domain, int type, int protocol, int fd[2])
{
	pairs++;
	return (int)syscall(SYS_socketpair, domain, type, protocol, fd);
}

ssize_t pread64(int fd, void *p, size_t n, off64_t off)
{
	if (size >= 0)
		count(fd);
	return syscall(SYS_pread64, fd, p, n, off);
}

/* pread64() under its name with _FORTIFY_SOURCE. */
ssize_t __pread64_chk(int fd, void *p, size_t n, off64_t off, size_t room);
ssize_t __pread64_chk(int fd, void *p, size_t n, off64_t off, size_t room)
{
	return pread64(fd, p, n, off);
}

ssize_t read(int fd, void *p, size_t n)
{
	if (of_lines)
		count(fd);
	return syscall(SYS_read, fd, p, n);
}

ssize_t __read_chk(int fd, void *p, size_t n, size_t room);
ssize_t __read_chk(int fd, void *p, size_t n, size_t room)
{
	return read(fd, p, n);
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
	if (size < 0 && !of_lines)
		count(fd);
	return syscall(SYS_recvfrom, fd, p, n, flags, NULL, NULL);
}

ssize_t __recv_chk(int fd, void *p, size_t n, size_t room, int flags);
ssize_t __recv_chk(int fd, void *p, size_t n, size_t room, int flags)
{
	return recv(fd, p, n, flags);
}
