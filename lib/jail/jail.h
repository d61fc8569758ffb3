/* SPDX-License-Identifier: MIT */
/*
 * A child process that reads what a guest wrote and can do nothing else. It is
 * forked with the descriptors it is given and then, in this order: loses every
 * other one; gets namespaces of its own (mounts, network, IPC, processes,
 * users) as far as the kernel allows; an empty root; another user; no
 * capabilities; limits; no new privileges; and a system call filter. The last
 * four and the user are not optional: where one fails there is no jail and no
 * child.
 *
 * Inside, descriptor 0 is the line to the parent, JAIL_WRITE and up are for
 * writing in order and the ones behind them for reading at an offset. Bytes of
 * an output may be skipped, which leaves them zero, but the child cannot go
 * back: what it has written or skipped stays as it is. What the filter does not
 * know kills the process.
 */
#ifndef JAIL_JAIL_H
#define JAIL_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define JAIL_LINE 0
#define JAIL_WRITE 3 /* 1 and 2 stay closed */
#define JAIL_FDS_MAX 64

struct jail_spec {
	/* The child may write(2) these and lseek(2) forward, at JAIL_WRITE and up. */
	const int *write_fd;
	size_t write_n;
	const int *read_fd; /* the child may pread(2), at JAIL_WRITE + write_n and up */
	size_t read_n;
	uid_t uid;              /* and gid; used where we are root, must not be 0 */
	uint64_t memory;        /* bytes of address space beyond what there is now */
	uint64_t file_size;     /* bytes that an output may grow to */
	unsigned cpu;           /* seconds of processor time */
	int (*main)(void *arg); /* what the child does; gives its exit status */
	void *arg;
};

enum jail_part {
	JAIL_MOUNTS = 1,
	JAIL_NETWORK = 2,
	JAIL_IPC = 4,
	JAIL_PROCESSES = 8,
	JAIL_USERS = 16,
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

int jail_start(const struct jail_spec *spec, struct jail *out, struct err *err);

/*
 * Wait for the child's end. 0: it ended with status 0. Else -ERR_CHILD, and
 * the text says how it ended. "name" is for that text.
 */
int jail_wait(struct jail *j, const char *name, struct err *err);

/* Kill the child, which nobody needs any more; wait: until it is gone. */
void jail_end(struct jail *j, bool wait);
void jail_fini(struct jail *j);

#endif
