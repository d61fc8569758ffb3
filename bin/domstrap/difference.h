/* SPDX-License-Identifier: MIT */
/*
 * What differs between two systems, in packages: store paths by name, with the
 * versions that Nix's rule cuts off ("bash-5.2" is bash, 5.2).
 */
#ifndef DOMSTRAP_DIFFERENCE_H
#define DOMSTRAP_DIFFERENCE_H

#include <jansson.h>

#include "store/closure.h"

/* One package that is not the same in both. */
struct difference {
	char *name;
	char *before, *after; /* versions, comma-separated; NULL: not there */
};

struct differences {
	struct difference *v; /* by name */
	size_t n;
};

/* The paths of a and of b that the flags choose. */
void differences_find(const struct closure *a, const bool *in_a, const struct closure *b,
                      const bool *in_b, struct differences *out);
void differences_fini(struct differences *d);

/* To stdout, escaped; and as JSON. */
void differences_print(const struct differences *d);
json_t *differences_json(const struct differences *d);

#endif
