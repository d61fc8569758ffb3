/* SPDX-License-Identifier: MIT */
/*
 * The packages that differ between two systems: names of store paths, split into name and version
 * by Nix's rule ("bash-5.2" is bash, 5.2).
 */
#ifndef DOMSTRAP_DIFFERENCE_H
#define DOMSTRAP_DIFFERENCE_H

#include <jansson.h>
#include <stdio.h>

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

/* Escaped, as lines; and as JSON. */
void differences_print(const struct differences *d, FILE *out);
json_t *differences_json(const struct differences *d);

#endif
