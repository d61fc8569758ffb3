/* SPDX-License-Identifier: MIT */
/* Deleting old generations of a guest that is off, and the store paths that nothing needs. */
#ifndef NIXOS_GC_H
#define NIXOS_GC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nixos/gc_roots.h"
#include "nixos/guest_state.h"

/* The generations to delete; never the current one, nor one that can be booted. */
struct gc_rule {
	unsigned keep;   /* all but this many newest ones; 0: none */
	int64_t older_s; /* those of at least so many seconds; -1: none */
};

/* Set the first three, the rest to zero. */
struct gc {
	struct off_guest *off;
	struct guest_state *in;
	struct gc_rule rule;
	/* What goes: */
	struct gc_roots roots; /* systems that can be booted, and the generations that stay */
	unsigned *gone;        /* generation numbers */
	size_t n_gone;
	bool *live;   /* of each path of the database; internal */
	char **names; /* names in /nix/store */
	size_t n_names, names_cap;
	uint64_t nar_bytes;  /* of those that the database has */
	uint64_t disk_bytes; /* after gc_commit(): freed */
};

/* Find what goes; in->profiles loses the generations. The guest's database must be readable. */
int gc_plan(struct gc *gc, struct err *err);
/* Delete it, in one change of the guest. */
int gc_commit(struct gc *gc, struct err *err);
void gc_fini(struct gc *gc);

#endif
