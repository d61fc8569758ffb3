/* SPDX-License-Identifier: MIT */
#include "jail/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "jail/filter.h"
#include "jail/wire.h"

/* Everything at once, then less: a kernel may refuse any of them. */
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

/* Like fork(), in new namespaces. The C library's clone() wants a stack. */
static pid_t fork_into(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
}

/* fds[i] becomes JAIL_LINE, JAIL_WRITE and up; all others are closed. */
static int fds_arrange(const struct jail_spec *s, int line, struct err *err)
{
	int fd[JAIL_FDS_MAX + 1];
	int target = JAIL_WRITE;
	size_t n = 0;

	if (s->write_n + s->read_n > JAIL_FDS_MAX)
		return err_set(err, ERR_LIMIT, "%zu descriptors, over %d", s->write_n + s->read_n,
		               JAIL_FDS_MAX);
	fd[n++] = line;
	for (size_t i = 0; i < s->write_n; i++)
		fd[n++] = s->write_fd[i];
	for (size_t i = 0; i < s->read_n; i++)
		fd[n++] = s->read_fd[i];
	/* First out of each other's way. */
	for (size_t i = 0; i < n; i++) {
		fd[i] = fcntl(fd[i], F_DUPFD, JAIL_WRITE + JAIL_FDS_MAX);
		if (fd[i] < 0)
			return err_sys(err, errno, "descriptors");
	}
	for (size_t i = 0; i < n; i++)
		if (dup2(fd[i], i == 0 ? JAIL_LINE : target++) < 0)
			return err_sys(err, errno, "descriptors");
#ifdef SANITIZED
	close(1); /* 2 stays for the sanitizer's reports */
#else
	close(1);
	close(2);
#endif
	if (syscall(SYS_close_range, (unsigned)target, ~0u, 0) < 0)
		return err_sys(err, errno, "close_range");
	return 0;
}

/*
 * An empty place to become the root, in mounts that nobody else sees. NULL:
 * not allowed. As good as can be had: nothing in the jail can open a file.
 */
static const char *root_make(void)
{
	static const char *const places[] = {"/proc", "/tmp"};

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (mount("none", places[i], "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		          "size=4k,nr_inodes=2") == 0)
			return places[i];
	return NULL;
}

/* Take or drop every capability that we are allowed. */
static int capabilities_set(bool all, struct err *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	if (all && syscall(SYS_capget, &head, data) < 0)
		return err_sys(err, errno, "capabilities");
	data[0].effective = data[0].permitted;
	data[1].effective = data[1].permitted;
	if (syscall(SYS_capset, &head, data) < 0)
		return err_sys(err, errno, "capabilities");
	return 0;
}

/*
 * Another user, then users of its own, then the root: the kernel makes no
 * namespace of users for whoever changed its root, and one that was made while
 * we were root would still be root's.
 */
static int user_drop(const struct jail_spec *s, bool root, const char *place, struct err *err)
{
	int rc;

	if (root) {
		if (prctl(PR_SET_KEEPCAPS, 1) < 0 || setgroups(0, NULL) < 0 ||
		    setresgid(s->uid, s->uid, s->uid) < 0 || setresuid(s->uid, s->uid, s->uid) < 0)
			return err_sys(err, errno, "user %u", (unsigned)s->uid);
		if (getuid() != s->uid || geteuid() != s->uid || getegid() != s->uid)
			return err_set(err, ERR_IO, "still user %u", (unsigned)geteuid());
		(void)unshare(CLONE_NEWUSER);
	}
	rc = capabilities_set(true, err);
	if (rc == 0 && place && chroot(place) == 0 && chdir("/") < 0)
		return err_sys(err, errno, "chdir");
	return rc < 0 ? rc : capabilities_set(false, err);
}

/* Bytes of address space that this process has. */
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

static int limits_set(const struct jail_spec *s, uint64_t now, struct err *err)
{
	const struct {
		int what;
		uint64_t value;
	} limits[] = {
#ifndef SANITIZED
	        {RLIMIT_AS, now + s->memory},
#endif
	        {RLIMIT_FSIZE, s->file_size},
	        {RLIMIT_CPU, s->cpu},
	        {RLIMIT_NOFILE, 0},
	        {RLIMIT_NPROC, 0},
	        {RLIMIT_CORE, 0},
	        {RLIMIT_MEMLOCK, 0},
	        {RLIMIT_MSGQUEUE, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit r = {limits[i].value, limits[i].value}, old;

		if (getrlimit((__rlimit_resource_t)limits[i].what, &old) == 0) {
			r.rlim_max = MIN(r.rlim_max, old.rlim_max);
			r.rlim_cur = MIN(r.rlim_cur, r.rlim_max);
		}
		if (setrlimit((__rlimit_resource_t)limits[i].what, &r) < 0)
			return err_sys(err, errno, "limit %d", limits[i].what);
	}
	return 0;
}

static void signals_reset(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		if (i != SIGKILL && i != SIGSTOP)
			(void)signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int enter(const struct jail_spec *s, unsigned long flags, bool root, uint64_t memory_now,
                 struct err *err)
{
	const char *place = flags & CLONE_NEWNS ? root_make() : NULL;
	int rc = user_drop(s, root, place, err);

	if (rc == 0)
		rc = limits_set(s, memory_now, err);
	if (rc < 0)
		return rc;
	/* After the change of user, which would undo it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "prctl");
	return filter_load(s, err);
}

/* The child's whole life. */
static void __attribute__((noreturn)) child(const struct jail_spec *s, unsigned long flags,
                                            bool root, int line, uint64_t memory_now)
{
	struct err err = ERR_INIT;
	struct wire w = {.fd = JAIL_LINE, .peer = "parent"};
	int rc;

	signals_reset();
	rc = fds_arrange(s, line, &err);
	if (rc < 0) {
		w.fd = line;
	} else {
		rc = enter(s, flags, root, memory_now, &err);
	}
	if (rc < 0) {
		(void)wire_put(&w, WIRE_BROKEN, str_from(err.text), &err);
		_exit(JAIL_NOT_BUILT);
	}
	_exit(s->main(s->arg));
}

static int compare_bytes(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

/*
 * The C library's qsort() asks the kernel for the size of its memory, once, when
 * it is first given much; nobody inside may ask.
 */
static void qsort_settle(void)
{
	char much[4096] = {0};

	qsort(much, sizeof much, 1, compare_bytes);
}

int jail_start(const struct jail_spec *spec, struct jail *out, struct err *err)
{
	bool root = geteuid() == 0;
	const unsigned long *flags = root ? namespaces_root : namespaces_user;
	uint64_t memory_now;
	int pair[2], rc;
	pid_t pid;

	/* -1 would mean "as it is" to setresuid(). */
	if (root && (spec->uid == 0 || spec->uid == (uid_t)-1))
		return err_set(err, ERR_USAGE, "the jail's user must not be %d", (int)spec->uid);
	qsort_settle();
	rc = address_space(&memory_now, err);
	if (rc < 0)
		return err_prefix(err, "jail");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, errno, "jail: socketpair");
	while ((pid = fork_into(*flags)) < 0 && *flags)
		flags++;
	if (pid == 0)
		child(spec, *flags, root, pair[1], memory_now);
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
		return err_set(err, ERR_CHILD, "%s: killed: it tried what the jail forbids", name);
	case SIGXCPU:
	case SIGKILL: /* what SIGXCPU becomes for the first process of a namespace */
		return err_set(err, ERR_CHILD,
		               "%s: killed: it took too much processor time, or the host's memory",
		               name);
	case SIGXFSZ:
		return err_set(err, ERR_CHILD, "%s: killed: it wrote too much", name);
	default:
		return err_set(err, ERR_CHILD, "%s: crashed: %s", name, strsignal(sig));
	}
}

int jail_wait(struct jail *j, const char *name, struct err *err)
{
	int status;

	while (waitpid(j->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, errno, "%s: wait", name);
	j->pid = -1;
	if (WIFSIGNALED(status))
		return signal_error(WTERMSIG(status), name, err);
	if (WEXITSTATUS(status) == JAIL_NO_MEMORY)
		return err_set(err, ERR_CHILD, "%s: gave up: out of memory", name);
	if (WEXITSTATUS(status) == JAIL_NOT_BUILT)
		return err_set(err, ERR_CHILD, "%s: the jail could not be built", name);
	if (WEXITSTATUS(status) != 0)
		return err_set(err, ERR_CHILD, "%s: ended with status %d", name,
		               WEXITSTATUS(status));
	return 0;
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
