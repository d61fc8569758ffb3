/* SPDX-License-Identifier: MIT */
#include "jail/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/show.h"
#include "jail/enter.h"
#include "jail/wire.h"

/* What a process may take to exit after it closed its line. */
#define REAP_MS 5000
#define REAP_NAP_MS 2
#define ID_MAP_MAX (16u << 10)

/* Try all namespaces at once, then fewer: a kernel may refuse any of them. */
static const unsigned long namespaces_root[] = {
        CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWPID,
        CLONE_NEWNS | CLONE_NEWPID,
        0,
};

static const unsigned long namespaces_user[] = {
        CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWPID,
        CLONE_NEWUSER,
        0,
};

/*
 * Like fork(), in new namespaces. The C library's clone() wants a stack, and its fork() tells it
 * the new thread's number, which locks may be marked with: the kernel can write it there.
 */
static pid_t fork_into(unsigned long flags)
{
	int *tid = NULL;

	if (prctl(PR_GET_TID_ADDRESS, &tid) < 0 || !tid || *tid != (int)syscall(SYS_gettid))
		return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
	flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
#if defined(__x86_64__)
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, tid, NULL);
#else
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, tid);
#endif
}

int jail_give(struct jail_spec *spec, enum jail_use use, int fd)
{
	int number = 0;

	for (size_t i = 0; i < MIN(spec->fds, (size_t)JAIL_FDS_MAX); i++)
		number += spec->fd[i].use == use;
	if (spec->fds < JAIL_FDS_MAX)
		spec->fd[spec->fds] = (struct jail_fd){use, fd};
	spec->fds++;
	return JAIL_FD(use, number);
}

int jail_pair(int fd[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
		return err_sys(err, errno, "a line between processes");
	return 0;
}

/* Bytes of address space that this process uses. */
static int address_space(uint64_t *out, struct err *err)
{
	struct buf b = BUF_INIT;
	uint64_t pages = 0;
	struct str rest;
	int rc = io_read_file(AT_FDCWD, "/proc/self/statm", 256, &b, err);

	rest = buf_str(&b);
	if (rc == 0 && !str_u64(str_cut(&rest, ' '), 10, UINT64_MAX >> 16, &pages))
		rc = err_set(err, ERR_FORMAT, "/proc/self/statm: no number");
	buf_fini(&b);
	*out = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return rc;
}

/* Runs in the child, from the fork to its exit. */
static void __attribute__((noreturn)) child(const struct enter *e)
{
	struct err err = ERR_INIT;
	struct wire w = {.fd = e->line, .peer = "parent"};

	if (enter(e, &err) < 0) {
		/* Only before descriptors are moved can this one keep its number. */
		if (fcntl(w.fd, F_GETFD) < 0)
			w.fd = JAIL_PARENT;
		(void)wire_put(&w, WIRE_BROKEN, str_from(err.text), &err);
		_exit(JAIL_NOT_BUILT);
	}
	_exit(e->spec->main(e->spec->arg));
}

static int compare_bytes(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

/*
 * The C library's qsort() asks the kernel for the size of its memory when it first sorts
 * a large array. The filter forbids this, so it is called once before the fork.
 */
static void qsort_settle(void)
{
	char much[4096] = {0};

	qsort(much, sizeof much, 1, compare_bytes);
}

/* Check that the spec is allowed for its role. */
static int check(const struct jail_spec *s, struct err *err)
{
	const struct jail_role *r = &jail_roles[s->role];
	unsigned used[JAIL_USES] = {0};

	/* -1 would mean "as it is" to setresuid(). */
	if (geteuid() == 0 && (s->uid == 0 || s->uid == (uid_t)-1))
		return err_set(err, ERR_USAGE, "the jail cannot run as user %d", (int)s->uid);
	if (s->fds > JAIL_FDS_MAX)
		return err_set(err, ERR_LIMIT,
		               "%s: %zu file descriptors, more than the limit of %d", r->name,
		               s->fds, JAIL_FDS_MAX);
	for (size_t i = 0; i < s->fds; i++) {
		enum jail_use use = s->fd[i].use;

		if (!(r->uses & 1u << use))
			return err_set(err, ERR_USAGE, "%s: may have no %s", r->name,
			               jail_use_name(use));
		if (used[use]++ == JAIL_USE_MAX)
			return err_set(err, ERR_LIMIT, "%s: over %d descriptors as %s", r->name,
			               JAIL_USE_MAX, jail_use_name(use));
	}
	return 0;
}

/* A program opens its input itself, so it needs a user who can read that file. */
static uid_t user_for(const struct jail_spec *s)
{
	struct stat st;

	for (size_t i = 0; jail_roles[s->role].runs && i < s->fds; i++)
		if (s->fd[i].use == JAIL_INPUT && fstat(s->fd[i].fd, &st) == 0 &&
		    S_ISREG(st.st_mode) && !(st.st_mode & S_IROTH))
			return st.st_uid;
	return s->uid;
}

/* Whether this user namespace has the user or group: lines "ID OUTSIDE COUNT" (user_namespaces(7)).
 */
static bool has_id(const char *map, uint64_t id)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	struct str rest;

	if (io_read_file(AT_FDCWD, map, ID_MAP_MAX, &text, &ignored) < 0)
		return true; /* a kernel without user namespaces has every ID */
	rest = buf_str(&text);
	while (rest.n) {
		struct str line = str_cut(&rest, '\n'), words[3] = {{0}};
		uint64_t from, count;

		for (size_t i = 0; i < ARRAY_LEN(words); i++) {
			line = str_trim(line);
			words[i] = str_cut(&line, ' ');
		}
		if (str_u64(words[0], 10, UINT32_MAX, &from) &&
		    str_u64(words[2], 10, UINT32_MAX, &count) && id >= from && id - from < count)
			return true;
	}
	return false;
}

/*
 * Whether this is a root that can become another user. That of "unshare -r" and of some containers
 * is the only user there, and has no more rights than the user who started it.
 */
static bool is_root(uid_t uid)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;

	return geteuid() == 0 && has_id("/proc/self/uid_map", uid) &&
	       has_id("/proc/self/gid_map", uid) &&
	       !(io_read_file(AT_FDCWD, "/proc/self/setgroups", 16, &text, &ignored) == 0 &&
	         str_starts(buf_str(&text), "deny"));
}

int jail_start(const struct jail_spec *spec, struct jail *out, struct err *err)
{
	bool root = is_root(spec->uid);
	const unsigned long *flags = root ? namespaces_root : namespaces_user;
	struct enter e = {.spec = spec, .root = root, .user = geteuid(), .group = getegid()};
	int pair[2], rc;
	pid_t pid;

	rc = check(spec, err);
	if (rc < 0)
		return rc;
	e.uid = root ? user_for(spec) : e.user;
	qsort_settle();
	rc = address_space(&e.memory_now, err);
	if (rc == 0)
		rc = jail_pair(pair, err);
	if (rc < 0)
		return err_prefix(err, "jail");
	e.line = pair[1];
	do {
		e.flags = *flags;
		/* A fetcher keeps the host's network. */
		if (jail_roles[spec->role].network)
			e.flags &= ~(unsigned long)CLONE_NEWNET;
		pid = fork_into(e.flags);
	} while (pid < 0 && *flags++);
	if (pid == 0)
		child(&e);
	io_close(&pair[1]);
	if (pid < 0) {
		err_sys(err, errno, "jail: fork");
		io_close(&pair[0]);
		return -(int)err->code;
	}
	*out = (struct jail){.pid = pid, .fd = pair[0]};
	return 0;
}

static int signal_error(int sig, const char *name, struct err *err)
{
	switch (sig) {
	case SIGSYS:
		return err_set(err, ERR_CHILD,
		               "%s: killed: it made a system call that the jail forbids", name);
	case SIGXCPU:
	case SIGKILL: /* the signal that SIGXCPU becomes for the first process of a PID namespace */
		return err_set(
		        err, ERR_CHILD,
		        "%s: killed: it used too much CPU time, or the host ran out of memory",
		        name);
	case SIGXFSZ:
		return err_set(err, ERR_CHILD, "%s: killed: it wrote more than the limit", name);
	default:
		return err_set(err, ERR_CHILD, "%s: crashed: %s", name, strsignal(sig));
	}
}

int jail_broken(struct str text, const char *name, struct err *err)
{
	char shown[SHOW_SIZE];

	return err_set(err, ERR_CHILD, "%s: the jail could not be set up: %s", name,
	               show_str(text, shown));
}

/* The error message of the child, if it was not received yet. */
static int not_built(const struct jail *j, const char *name, struct err *err)
{
	uint8_t said[WIRE_HEAD + ERR_TEXT_MAX];
	ssize_t n = recv(j->fd, said, sizeof said, MSG_DONTWAIT);

	if (n <= WIRE_HEAD || get_le32(said) != WIRE_BROKEN)
		return err_set(err, ERR_CHILD, "%s: the jail could not be set up", name);
	return jail_broken((struct str){(const char *)said + WIRE_HEAD, (size_t)n - WIRE_HEAD},
	                   name, err);
}

int jail_status(struct jail *j, const char *name, int *out, struct err *err)
{
	int status;

	while (waitpid(j->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, errno, "%s: wait", name);
	j->pid = -1;
	if (WIFSIGNALED(status))
		return signal_error(WTERMSIG(status), name, err);
	if (WEXITSTATUS(status) == JAIL_NOT_BUILT)
		return not_built(j, name, err);
	*out = WEXITSTATUS(status);
	return 0;
}

int jail_wait(struct jail *j, const char *name, struct err *err)
{
	int status = 0, rc = jail_status(j, name, &status, err);

	if (rc < 0)
		return rc;
	if (status == JAIL_NO_MEMORY)
		return err_set(err, ERR_CHILD, "%s: out of memory", name);
	if (status != 0)
		return err_set(err, ERR_CHILD, "%s: ended with status %d", name, status);
	return 0;
}

static bool has_ended(const struct jail *j)
{
	siginfo_t info = {.si_pid = 0};

	return waitid(P_PID, (id_t)j->pid, &info, WEXITED | WNOWAIT | WNOHANG) < 0 || info.si_pid;
}

/* Whether it ends within REAP_MS milliseconds. */
static bool ends_soon(const struct jail *j)
{
	_close_ int fd = (int)syscall(SYS_pidfd_open, j->pid, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t end = clock_ms() + REAP_MS, left;

	while (!has_ended(j)) {
		left = end - clock_ms();
		if (left <= 0)
			return false;
		/* Without pidfd_open(), Linux 5.3, look again each moment. */
		(void)poll(&p, fd >= 0, fd >= 0 ? (int)left : REAP_NAP_MS);
	}
	return true;
}

int jail_reap(struct jail *j, const char *name, struct err *err)
{
	if (ends_soon(j))
		return jail_wait(j, name, err);
	jail_end(j, true);
	return err_set(err, ERR_CHILD, "%s: ended early", name);
}

void jail_end(struct jail *j, bool wait)
{
	if (j->pid > 0) {
		(void)kill(j->pid, SIGKILL);
		while (wait && waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	j->pid = -1;
	io_close(&j->fd);
}

void jail_fini(struct jail *j)
{
	jail_end(j, true);
}

int jail_fstat(int fd, struct stat *st)
{
#ifdef __LP64__
	return (int)syscall(SYS_fstat, fd, st);
#else
	return fstat(fd, st);
#endif
}
