/* SPDX-License-Identifier: MIT */
/* Setting up the jail in the child; only jail.c includes this. */
#ifndef JAIL_ENTER_H
#define JAIL_ENTER_H

#include "jail/jail.h"

/* What is known before the fork. */
struct enter {
	const struct jail_spec *spec;
	unsigned long flags; /* namespaces that the child has */
	bool root;           /* it was started by root */
	uid_t uid;           /* the user to change to if root: the spec's, or a file's owner */
	uid_t user;          /* who started it */
	gid_t group;
	uint64_t memory_now; /* bytes of address space */
	int line;
};

/* Set up everything for this process. After -ERR_* use nothing but the line. */
int enter(const struct enter *e, struct err *err);

#endif
