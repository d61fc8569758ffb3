/* SPDX-License-Identifier: MIT */
/*
 * The root of a process:
 *
 *     tmpfs, read-only       over /tmp in mounts of its own
 *       path of the view     the host's, bound, read-only
 *       program              the same
 *       proc                 of its own processes, where it runs a program
 *       inputN               a device that it is given: another user could not open the host's node
 *
 * What cannot be had is left out: the process then lacks it.
 */
#include "jail/view.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

#define SEALED (MS_RDONLY | MS_NOSUID | MS_NODEV)

/* Bind read-only, with the mounts inside it; before Linux 5.12 without them. */
static void seal(const char *path, bool runs)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
	                                      MOUNT_ATTR_NODEV | (runs ? 0 : MOUNT_ATTR_NOEXEC)};

	if (syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attr, sizeof attr) < 0)
		(void)mount(NULL, path, NULL,
		            MS_REMOUNT | MS_BIND | SEALED | (runs ? 0 : (unsigned long)MS_NOEXEC),
		            NULL);
}

/* Make the directories above path, from byte "from" on. */
static void make_parents(char *path, size_t from)
{
	for (char *p = strchr(path + from, '/'); p; p = strchr(p + 1, '/')) {
		*p = 0;
		(void)mkdir(path, 0755);
		*p = '/';
	}
}

/* A link to a directory of the view stays a link. */
static bool add_link(const char *from, const char *to)
{
	char target[256];
	ssize_t n;

	if (strrchr(from, '/') != from && strcmp(from, "/var/run") != 0)
		return false;
	n = readlink(from, target, sizeof target - 1);
	if (n <= 0)
		return false;
	target[n] = 0;
	return symlink(target, to) == 0;
}

static void add_path(const char *place, const char *path, bool runs)
{
	_free_ char *to = xasprintf("%s%s", place, path);
	struct stat st;
	int fd;

	if (stat(path, &st) < 0)
		return;
	make_parents(to, strlen(place) + 1);
	if (add_link(path, to))
		return;
	if (S_ISDIR(st.st_mode)) {
		(void)mkdir(to, 0755);
	} else {
		fd = open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		if (fd >= 0)
			close(fd);
	}
	if (mount(path, to, NULL, MS_BIND | MS_REC, NULL) == 0)
		seal(to, runs);
}

static void add_proc(const char *place, bool own_processes)
{
	_free_ char *to = xasprintf("%s/proc", place), *etc = xasprintf("%s/etc", place);
	_free_ char *mtab = xasprintf("%s/mtab", etc);
	static const char *const wishes[] = {"subset=pid", ""};
	const unsigned long flags = SEALED | MS_NOEXEC;

	/* A proc with only the program's own processes has no /proc/mounts, which e2fsck reads. */
	(void)mkdir(etc, 0755);
	if (symlink("/proc/self/mounts", mtab) < 0)
		return; /* the file system is full or read-only */
	(void)mkdir(to, 0755);
	for (size_t i = 0; own_processes && i < ARRAY_LEN(wishes); i++)
		if (mount("proc", to, "proc", flags, wishes[i]) == 0)
			return;
	if (mount("/proc", to, NULL, MS_BIND | MS_REC, NULL) == 0)
		seal(to, false);
}

/* True: there is a device node that can be opened. */
static bool add_devices(const char *place, const struct jail_spec *s, uid_t uid)
{
	bool any = false;

	for (unsigned i = 0; i < JAIL_USE_MAX; i++) {
		_free_ char *to = xasprintf("%s/input%u", place, i);
		struct stat st;

		if (fstat(JAIL_FD(JAIL_INPUT, i), &st) < 0)
			break;
		if (!S_ISBLK(st.st_mode) || mknod(to, S_IFBLK | 0400, st.st_rdev) < 0)
			continue;
		if (chown(to, uid, (gid_t)-1) < 0)
			(void)unlink(to);
		else
			any = true;
	}
	return any;
}

static void fill(const char *place, const struct jail_spec *s, bool own_processes, uid_t uid)
{
	const struct jail_role *r = &jail_roles[s->role];
	bool devices = false;

	for (const char *const *p = r->view; *p; p++)
		add_path(place, *p, r->runs);
	if (r->runs) {
		if (s->program)
			add_path(place, s->program, true);
		add_proc(place, own_processes);
		devices = add_devices(place, s, uid);
	}
	(void)mount(NULL, place, NULL,
	            MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC |
	                    (devices ? 0 : (unsigned long)MS_NODEV),
	            NULL);
}

const char *view_make(const struct jail_spec *s, bool own_processes, uid_t uid)
{
	bool empty = !jail_roles[s->role].view;
	/* Of an empty one nothing is looked at any more; a view is made of what is there. */
	static const char *const places[] = {"/proc", "/tmp", "/mnt"};
	unsigned long flags = MS_NOSUID | MS_NOEXEC;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return NULL;
	for (size_t i = empty ? 0 : 1; i < ARRAY_LEN(places); i++) {
		if (mount("none", places[i], "tmpfs", empty ? flags | MS_RDONLY | MS_NODEV : flags,
		          empty ? "size=4k,nr_inodes=2" : "size=64k,nr_inodes=256,mode=755") < 0)
			continue;
		if (!empty)
			fill(places[i], s, own_processes, uid);
		return places[i];
	}
	return NULL;
}

char *jail_path(size_t i)
{
	_free_ char *node = xasprintf("/input%zu", i);

	if (access(node, R_OK) == 0)
		return take(&node);
	return xasprintf("/proc/self/fd/%d", JAIL_FD(JAIL_INPUT, i));
}
