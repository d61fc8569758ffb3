/* SPDX-License-Identifier: MIT */
/* More lines between this process and a child: one for each of its threads. */
#ifndef JAIL_JAIL_LINES_H
#define JAIL_JAIL_LINES_H

#include "jail/jail.h"

#define JAIL_LINES_MAX 12u

/* Start from zeros. */
struct jail_lines {
	size_t n;
	int ours[JAIL_LINES_MAX];   /* this process's ends */
	int given[JAIL_LINES_MAX];  /* the child's ends, as numbered in the child */
	int theirs[JAIL_LINES_MAX]; /* the child's ends here, until it is started */
};

/* Make n lines and give the child their ends; before jail_start(). */
int jail_lines_make(struct jail_lines *l, size_t n, struct jail_spec *spec, struct err *err);
/* After jail_start(), also if it failed: close the child's ends here. */
void jail_lines_started(struct jail_lines *l);
void jail_lines_fini(struct jail_lines *l);

#endif
