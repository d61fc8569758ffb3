/* SPDX-License-Identifier: MIT */
#include "jail/enter.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "jail/filter.h"
#include "jail/view.h"

/* Open files of a role that opens some; and threads, where the user is nobody else's. */
#define HEAPS_MAX 8
#define FILES_MAX 1024u
#define THREADS_MAX 1024u

/* A program's output; its input is the line. */
static int program_output(const struct jail_spec *s, struct err *err)
{
	int fd = JAIL_FD(JAIL_OUTPUT, 0);

	if (!jail_roles[s->role].runs || fcntl(fd, F_GETFD) < 0)
		return 0;
	if (dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
		return err_sys(err, errno, "descriptors");
	return 0;
}

/* Move each descriptor to its number in the block of its use; close all others. */
static int fds_arrange(const struct jail_spec *s, int line, struct err *err)
{
	int from[JAIL_FDS_MAX + 1], to[JAIL_FDS_MAX + 1], last = JAIL_FD(JAIL_USES, 0) - 1;
	unsigned used[JAIL_USES] = {0};

	from[0] = line;
	to[0] = JAIL_PARENT;
	for (size_t i = 0; i < s->fds; i++) {
		from[i + 1] = s->fd[i].fd;
		to[i + 1] = JAIL_FD(s->fd[i].use, used[s->fd[i].use]++);
	}
	/* First move them to numbers that do not collide. */
	for (size_t i = 0; i <= s->fds; i++) {
		from[i] = fcntl(from[i], F_DUPFD, last + 1);
		if (from[i] < 0)
			return err_sys(err, errno, "descriptors");
	}
	if (syscall(SYS_close_range, (unsigned)JAIL_PARENT + STDERR_FILENO + 1, (unsigned)last, 0) <
	    0)
		return err_sys(err, errno, "close_range");
	for (size_t i = 0; i <= s->fds; i++)
		if (dup2(from[i], to[i]) < 0)
			return err_sys(err, errno, "descriptors");
#ifdef SANITIZED
	close(1); /* 2 stays open for the sanitizer's reports */
#else
	close(1);
	close(2);
#endif
	if (syscall(SYS_close_range, (unsigned)last + 1, ~0u, 0) < 0)
		return err_sys(err, errno, "close_range");
	return program_output(s, err);
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

/* Without a user ID map a user namespace cannot create files, not even in its own tmpfs. */
static void map_self(const struct enter *e)
{
	_free_ char *user = xasprintf("%u %u 1\n", (unsigned)e->user, (unsigned)e->user);
	_free_ char *group = xasprintf("%u %u 1\n", (unsigned)e->group, (unsigned)e->group);
	const struct {
		const char *path, *text;
	} files[] = {
	        {"/proc/self/setgroups", "deny\n"},
	        {"/proc/self/uid_map", user},
	        {"/proc/self/gid_map", group},
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		_close_ int fd = open(files[i].path, O_WRONLY | O_CLOEXEC);
		struct err ignored = ERR_INIT;

		if (fd >= 0)
			(void)io_write(fd, files[i].path, files[i].text, strlen(files[i].text),
			               &ignored);
	}
}

static int become(const struct enter *e, struct err *err)
{
	gid_t gid = e->spec->uid;

	/* If the user stays 0, user_drop() makes sure that a program gains nothing by it. */
	if (prctl(PR_SET_KEEPCAPS, 1) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(gid, gid, gid) < 0 || setresuid(e->uid, e->uid, e->uid) < 0)
		return err_sys(err, errno, "user %u", (unsigned)e->uid);
	if (getuid() != e->uid || geteuid() != e->uid || getegid() != gid)
		return err_set(err, ERR_IO, "still user %u", (unsigned)geteuid());
	return 0;
}

/*
 * Change the user, then create the user namespace, then change the root: Linux
 * creates no user namespace after chroot, and one that was created by root would
 * still belong to root.
 */
static int user_drop(const struct enter *e, const char *place, struct err *err)
{
	int rc = e->root ? become(e, err) : 0;

	if (rc < 0)
		return rc;
	if (e->root)
		(void)unshare(CLONE_NEWUSER);
	rc = capabilities_set(true, err);
	if (rc < 0)
		return rc;
	if (e->uid == 0 && prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED) < 0)
		return err_sys(err, errno, "secure bits");
	if (place && chroot(place) == 0 && chdir("/") < 0)
		return err_sys(err, errno, "chdir");
	return capabilities_set(false, err);
}

static int limits_set(const struct enter *e, struct err *err)
{
	const struct jail_spec *s = e->spec;
	const struct jail_role *r = &jail_roles[s->role];
	const struct {
		int what;
		uint64_t value;
	} limits[] = {
#ifndef SANITIZED
	        /* For threads, the C library reserves much more address space than it uses. */
	        {r->threads ? RLIMIT_DATA : RLIMIT_AS, e->memory_now + s->memory},
#endif
	        {RLIMIT_FSIZE, s->file_size},
	        {RLIMIT_CPU, s->cpu},
	        /* poll(2) takes no more than these; a filter that knows no open(2) does the rest.
	         */
	        {RLIMIT_NOFILE, r->view      ? FILES_MAX
	                        : r->threads ? JAIL_FDS_MAX
	                                     : 0},
	        /*
	         * For an ordinary user all of the user's processes count, so the limit stays as it
	         * was.
	         */
	        {RLIMIT_NPROC, !r->threads ? 0
	                       : e->root   ? THREADS_MAX
	                                   : UINT64_MAX},
	        {RLIMIT_CORE, 0},
	        {RLIMIT_MEMLOCK, 0},
	        {RLIMIT_MSGQUEUE, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit new = {limits[i].value, limits[i].value}, old;

		if (getrlimit((__rlimit_resource_t)limits[i].what, &old) == 0) {
			new.rlim_max = MIN(new.rlim_max, old.rlim_max);
			new.rlim_cur = MIN(new.rlim_cur, new.rlim_max);
		}
		if (setrlimit((__rlimit_resource_t)limits[i].what, &new) < 0)
			return err_sys(err, errno, "limit %d", limits[i].what);
	}
	return 0;
}

/*
 * The parent decides what ^C means, and a child whose line is closed gets an error. If the parent
 * is killed, so is the child.
 */
static void signals_reset(void)
{
	static const int left_to_parent[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		if (i != SIGKILL && i != SIGSTOP)
			(void)signal(i, SIG_DFL);
	for (size_t i = 0; i < ARRAY_LEN(left_to_parent); i++)
		(void)signal(left_to_parent[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * With threads the C library opens two files: one for the number of processors, before it makes a
 * ninth heap; one for the kernel's policy, before it returns the end of a heap to the kernel. With
 * a limit for heaps, and none for what they keep, it does neither.
 */
static void heaps_limit(void)
{
	(void)mallopt(M_ARENA_MAX, HEAPS_MAX);
	(void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
	/* With that set it no longer grows by itself; large buffers are to be used again. */
	(void)mallopt(M_MMAP_THRESHOLD, 4 << 20);
}

/* The descriptor numbers of a jail may exceed the usual soft limit. */
static void files_allow(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = MAX(r.rlim_cur, MIN(r.rlim_max, (rlim_t)FILES_MAX));
	(void)setrlimit(RLIMIT_NOFILE, &r);
}

/*
 * Where names are looked up may be in modules of the C library, which inside could not be
 * loaded: "hosts:" of nsswitch.conf(5) names them. Loaded once, it finds them.
 */
static void resolver_load(void)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	struct str rest;

	if (io_read_file(AT_FDCWD, "/etc/nsswitch.conf", 65536, &text, &ignored) < 0)
		return;
	for (rest = buf_str(&text); rest.p;) {
		struct str line = str_trim(str_cut(&rest, '\n'));

		if (!str_starts(line, "hosts:"))
			continue;
		for (line = str_drop(line, 6); line.p;) {
			struct str word = str_trim(str_cut(&line, ' '));
			_free_ char *name = xasprintf("libnss_%.*s.so.2", STR_ARG(word));

			if (word.n && !memchr(word.p, '/', word.n) && word.p[0] != '[')
				(void)dlopen(name, RTLD_NOW);
		}
	}
}

static int lock_in(const struct enter *e, const char *place, struct err *err)
{
	int rc;

	/* Must follow the change of user, which would reset it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "prctl");
	if (jail_roles[e->spec->role].view)
		landlock_enter(e->spec, place != NULL);
	rc = filter_load(e->spec, err);
	/* The input of a program. */
	if (rc == 0 && jail_roles[e->spec->role].runs)
		(void)shutdown(JAIL_PARENT, SHUT_RDWR);
	return rc;
}

int enter(const struct enter *e, struct err *err)
{
	const struct jail_role *r = &jail_roles[e->spec->role];
	const char *place = NULL;
	int rc;

	signals_reset();
	if (r->threads)
		heaps_limit();
	files_allow();
	if (r->network)
		resolver_load();
	rc = fds_arrange(e->spec, e->line, err);
	if (rc < 0)
		return rc;
	if (r->view && !e->root && e->flags & CLONE_NEWUSER)
		map_self(e);
	if (e->flags & CLONE_NEWNS)
		place = view_make(e->spec, e->flags & CLONE_NEWPID, e->uid);
	if (e->root && e->uid == 0 && !place)
		return err_set(err, ERR_UNSUPPORTED,
		               "no mount namespace, and only root may read the disk");
	rc = user_drop(e, place, err);
	if (rc == 0)
		rc = limits_set(e, err);
	return rc < 0 ? rc : lock_in(e, place, err);
}
