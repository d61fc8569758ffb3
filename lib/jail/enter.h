/* SPDX-License-Identifier: MIT */
/* The way into a jail; only jail.c includes this. */
#ifndef JAIL_ENTER_H
#define JAIL_ENTER_H

#include "jail/jail.h"

/* What is known before the fork. */
struct enter {
	const struct jail_spec *spec;
	unsigned long flags; /* namespaces that the child has */
	bool root;           /* it was started by root */
	uid_t uid;           /* whom it becomes where root: the spec's, or a file's owner */
	uid_t user;          /* who started it */
	gid_t group;
	uint64_t memory_now; /* bytes of address space */
	int line;
};

/* All of it, for this process; -ERR_*: part of it is done, and nothing but the line may be used. */
int enter(const struct enter *e, struct err *err);

#endif
