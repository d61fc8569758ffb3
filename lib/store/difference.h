/* SPDX-License-Identifier: MIT */
/*
 * The packages that differ between two systems: names of store paths, split into name and version
 * by Nix's rule ("bash-5.2" is bash, 5.2).
 */
#ifndef STORE_DIFFERENCE_H
#define STORE_DIFFERENCE_H

#include <stdbool.h>

#include "store/closure.h"

/* A package that differs. */
struct difference {
	char *name;
	char *before,
	        *after; /* versions, comma-separated; NULL: the package is not in this system */
};

struct differences {
	struct difference *v; /* by name */
	size_t n;
};

/* Compare the paths of a and of b whose flags are set. */
void differences_find(const struct closure *a, const bool *in_a, const struct closure *b,
                      const bool *in_b, struct differences *out);
void differences_fini(struct differences *d);

#endif
