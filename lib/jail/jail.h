/* SPDX-License-Identifier: MIT */
/*
 * A sandboxed child process that reads untrusted data. Its rights are those of its role, a row of
 * the table in role.h. After the fork, the child sets up the jail in this order: it closes every
 * descriptor that it was not given; enters new namespaces (mount, network, IPC, PID, user), as far
 * as the kernel allows; changes to an empty root, or one with the files that its role may read;
 * changes the user; drops capabilities; sets limits; uses Landlock, if the role reads files; sets
 * no_new_privs; and loads a system call filter. User, capabilities, limits, no_new_privs and filter
 * are required: if one fails, the child does not run. A system call that the filter does not allow
 * kills the process. Roles with network or a program run code that probes for features: there most
 * other calls fail with EPERM, and only calls that such code never needs (fork, execve, signals)
 * kill.
 *
 * In the child, descriptor 0 is the line to the parent, 1 and 2 are closed, and each use has its
 * own range of numbers: those that jail_give() returns. Shared memory (MAP_SHARED) stays shared,
 * such as a page of counters.
 *
 * Two children that communicate with each other get the ends of a jail_pair(); the parent closes
 * its copies when both are started. Start children while the program has only one thread.
 */
#ifndef JAIL_JAIL_H
#define JAIL_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "jail/role.h"

#define JAIL_PARENT 0   /* the line to the parent */
#define JAIL_USE_MAX 64 /* descriptors of one use */
#define JAIL_FDS_MAX 128
#define JAIL_NOBODY 65534 /* a user for children of root: nobody */

/* Descriptor number i of a use, in the child. Lines start at 1, because 0 is the parent's. */
#define JAIL_FD(use, i) (((int)(use) + 1) * JAIL_USE_MAX + (int)(i))

struct jail_fd {
	enum jail_use use;
	int fd;
};

struct jail_spec {
	enum jail_role_id role;
	struct jail_fd fd[JAIL_FDS_MAX]; /* see jail_give() */
	size_t fds;
	uid_t uid;              /* and gid; used if the caller is root; must not be 0 */
	uint64_t memory;        /* bytes more than at the fork; a thread's stack takes 8 MiB */
	uint64_t file_size;     /* bytes; limit of a file's size, and of skips in an output */
	unsigned cpu;           /* seconds of processor time */
	int (*main)(void *arg); /* runs in the child; returns its exit status */
	void *arg;
	const char *program; /* of a role that runs one: its full path, for execve() in main */
};

struct jail {
	pid_t pid;
	int fd; /* the line, our end */
};

#define JAIL_INIT {.pid = -1, .fd = -1}

/* Status of a child that ran out of memory (base/mem.h). */
#define JAIL_NO_MEMORY 1
/* Status of a child that could not enter the jail; WIRE_BROKEN says why. */
#define JAIL_NOT_BUILT 125

/*
 * Give fd, which the caller still owns, to the child. Returns its number in the child. If there
 * are too many, or the role does not allow the use, jail_start() fails.
 */
int jail_give(struct jail_spec *spec, enum jail_use use, int fd);

/* A line between two processes: close-on-exec stream sockets, the caller's to close. */
int jail_pair(int fd[2], struct err *err);

int jail_start(const struct jail_spec *spec, struct jail *out, struct err *err);

/* The error for a message WIRE_BROKEN with this text: -ERR_CHILD. "name" is the child's. */
int jail_broken(struct str text, const char *name, struct err *err);

/*
 * Wait until the child exits. Returns 0 if its status is 0, else -ERR_CHILD with a text that
 * says how it ended; "name" is used in that text.
 */
int jail_wait(struct jail *j, const char *name, struct err *err);
/* The same for a child with several statuses: 0 and its exit status, or -ERR_CHILD. */
int jail_status(struct jail *j, const char *name, int *status, struct err *err);

/*
 * As jail_wait(), for a child that has closed its line or said its last word. If it still runs
 * after some seconds it is killed, and the error is that it ended early.
 */
int jail_reap(struct jail *j, const char *name, struct err *err);

/* Kill the child. wait: also wait until it has exited. */
void jail_end(struct jail *j, bool wait);
void jail_fini(struct jail *j);

/*
 * In the child, for a role that runs a program: the path by which the program opens input i; the
 * caller frees it. The program's standard input is the line, shut down; its standard output and
 * error are the first output.
 */
char *jail_path(size_t i);

/* In the child: fstat(2), because the C library uses newfstatat(2). 0, or -1 and errno. */
int jail_fstat(int fd, struct stat *st);

#endif
