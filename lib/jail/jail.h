/* SPDX-License-Identifier: MIT */
/*
 * A child process that reads what others wrote and can do nothing but its work: a row of the table
 * of roles (role.h). It is forked with the descriptors it is given and then, in this order: loses
 * every other one; gets namespaces of its own (mounts, network, IPC, processes, users) as far as
 * the kernel allows; an empty root, or one with the few things in it that its role may read;
 * another user; no capabilities; limits; Landlock, where the role reads files; no new privileges;
 * and a system call filter. User, capabilities, limits, no new privileges and filter are required:
 * where one fails there is no jail and no child. What the filter does not know kills the process;
 * in roles that run other people's code (network, program) it is refused with EPERM, but for what
 * no such code needs (a fork, a program, another process), which kills.
 *
 * Inside, descriptor 0 is the line to the parent, 1 and 2 are closed, and every use has its own
 * block of numbers: what jail_give() returns. Memory that is shared (MAP_SHARED) stays shared: a
 * page of counters may go along.
 *
 * Two processes that talk to each other get the ends of a jail_pair(); the parent closes its copies
 * when both were started. A process must be started while the program has one thread.
 */
#ifndef JAIL_JAIL_H
#define JAIL_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"
#include "jail/role.h"

#define JAIL_PARENT 0   /* the line to the parent */
#define JAIL_USE_MAX 64 /* descriptors of one use */
#define JAIL_FDS_MAX 128

/* Descriptor number i of a use, inside. Lines: from 1 on, as 0 is the parent's. */
#define JAIL_FD(use, i) (((int)(use) + 1) * JAIL_USE_MAX + (int)(i))

struct jail_fd {
	enum jail_use use;
	int fd;
};

struct jail_spec {
	enum jail_role_id role;
	struct jail_fd fd[JAIL_FDS_MAX]; /* see jail_give() */
	size_t fds;
	uid_t uid;              /* and gid; used where we are root, must not be 0 */
	uint64_t memory;        /* bytes beyond what there is now; a thread's stack takes 8 MiB */
	uint64_t file_size;     /* bytes that a file may grow to; of an output: may be skipped */
	unsigned cpu;           /* seconds of processor time */
	int (*main)(void *arg); /* what the child does; gives its exit status */
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
/* Status of a child that could not enter the jail; it said why: WIRE_BROKEN. */
#define JAIL_NOT_BUILT 125

/*
 * The child gets fd (which stays the caller's); its number inside. Too many,
 * or a use that the role has not: jail_start() says so.
 */
int jail_give(struct jail_spec *spec, enum jail_use use, int fd);

/* A line between two processes: close-on-exec stream sockets, the caller's to close. */
int jail_pair(int fd[2], struct err *err);

int jail_start(const struct jail_spec *spec, struct jail *out, struct err *err);

/*
 * Wait for the child's end. 0: it ended with status 0. Else -ERR_CHILD, and
 * the text says how it ended. "name" is for that text.
 */
int jail_wait(struct jail *j, const char *name, struct err *err);
/* The same, where the status means something: 0 and its exit status, or -ERR_CHILD. */
int jail_status(struct jail *j, const char *name, int *status, struct err *err);

/* Kill the child, which nobody needs any more; wait: until it is gone. */
void jail_end(struct jail *j, bool wait);
void jail_fini(struct jail *j);

/*
 * Inside, in a role that runs a program: the name under which that opens input i; for free(). The
 * program has the line, shut down, as standard input, and the first output as the two others.
 */
char *jail_path(size_t i);

/* Inside: fstat(2), which the C library makes of a call that takes paths. 0, or -1 and errno. */
int jail_fstat(int fd, struct stat *st);

#endif
