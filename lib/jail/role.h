/* SPDX-License-Identifier: MIT */
/*
 * What each kind of process may do, as two tables.
 *
 *     role         a kind of process: which descriptors it may be given, whether it has threads,
 *                  the network, files to read, a program to run
 *     descriptor   what may be done with one, by its use
 *
 * The filter, the root directory and the Landlock rules are generated from these tables
 * (filter.c, view.c, landlock.c), and a test compares doc/security.md with them.
 */
#ifndef JAIL_ROLE_H
#define JAIL_ROLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum jail_role_id {
	JAIL_READER,    /* domgrub: a guest's disks, its boot menu; copies kernel and ramdisk */
	JAIL_CHECKER,   /* domgrub: the copied kernel */
	JAIL_RENAMER,   /* domgrub: renames the file of an entry with a boot counter */
	JAIL_INSPECTOR, /* domstrap: a guest's disks, for inspect, list, check and verify */
	JAIL_HASHER,    /* domstrap: a guest's store */
	JAIL_EDITOR,    /* domstrap: changes a guest's disks */
	JAIL_UNPACKER,  /* domstrap: what a cache wrote: compressed files, narinfos */
	JAIL_WRITER,    /* domstrap: a cache's NARs into a new image */
	JAIL_FETCHER,   /* domstrap: a cache's servers */
	JAIL_FSCK,      /* e2fsck */
	JAIL_ROLES,
};

/* What a descriptor is for. */
enum jail_use {
	JAIL_LINE,   /* a socket: descriptor 0 to the parent; more of them to other processes */
	JAIL_OUTPUT, /* a file to write sequentially; skipping forward leaves zeros */
	JAIL_INPUT,  /* a file or device to read at an offset */
	JAIL_DISK,   /* a file or device to read and to change */
	JAIL_SPOOL,  /* an unnamed file to write and read */
	JAIL_USES,
};

struct jail_role {
	const char *name;
	unsigned uses;           /* descriptors that it may be given: bits 1 << enum jail_use */
	bool threads;            /* and poll(2) */
	bool network;            /* sockets; the host's network */
	bool runs;               /* runs one program */
	const char *const *view; /* host paths that it may read, NULL at the end; NULL: none */
};

extern const struct jail_role jail_roles[JAIL_ROLES];

/* "line", "output" … */
const char *jail_use_name(enum jail_use use);

/* The role's row of doc/security.md's table, without a newline. */
void jail_role_row(const struct jail_role *r, struct buf *out);
/* The same for the use of a descriptor: its system calls. */
void jail_use_row(enum jail_use use, struct buf *out);

#endif
