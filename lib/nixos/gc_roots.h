/* SPDX-License-Identifier: MIT */
/* Everything that can boot is a root: systems in menu and config are not deleted. */
#ifndef NIXOS_GC_ROOTS_H
#define NIXOS_GC_ROOTS_H

#include "nixos/guest_state.h"

/* A generation that was to be deleted, but is kept. */
struct gc_stay {
	unsigned number;
	char *why;
};

/* Start from zeros; end with gc_roots_fini(). */
struct gc_roots {
	char **paths; /* store paths */
	size_t n, cap;
	struct gc_stay *stays;
	size_t n_stays, stays_cap;
};

void gc_roots_fini(struct gc_roots *r);

/*
 * Collect what can boot. drop[i] says that generation i of the system's profile is
 * to go; it becomes false where it boots by default, where the config boots it, or
 * where a menu does that domstrap does not write. What such a menu that it does
 * write says of a generation that goes is no root: the new menu will not say it.
 */
int gc_roots_find(struct off_guest *off, const struct guest_state *in, bool *drop,
                  struct gc_roots *out, struct err *err);
/* Whether a name of /nix/store is one of them. */
bool gc_roots_have(const struct gc_roots *r, const char *path);

#endif
