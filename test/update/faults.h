/* SPDX-License-Identifier: MIT */
/* What the parts of the preloaded library share; not visible to the program. */
#ifndef FAULTS_H
#define FAULTS_H

/* Kinds of steps: FAULT_ON. */
enum {
	WRITE = 1,
	SYNC = 2,
	READ = 4,
	ALLOC = 8,
	NAME = 16,
};

/* Count a step. Returns 1 if it must fail, with errno set. Does not return if the process must
 * die. */
__attribute__((visibility("hidden"))) int fails(unsigned what);

#endif
