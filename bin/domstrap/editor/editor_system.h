/* SPDX-License-Identifier: MIT */
/*
 * In an editor: the system that is to be added. Its closure, files and NARs come from the parent
 * (editor_supply.h), except what the guest has already.
 */
#ifndef DOMSTRAP_EDITOR_SYSTEM_H
#define DOMSTRAP_EDITOR_SYSTEM_H

#include "editor/editor.h"
#include "image/stream_wire.h"
#include "store/closure.h"

struct editor_system {
	struct store_files
	        files; /* of the closure: of the guest or from the parent; look and read */
	struct guest_state_files there;
	const struct editor *editor;
	struct closure closure;   /* of what the guest has, only names, sizes and references */
	const char *toplevel;     /* borrowed from closure */
	struct store_item *items; /* the paths that the guest lacks, in the closure's order */
	size_t n_items;
	size_t *numbers;
	bool *slow; /* for each item */
};

/* The guest's state must have its database: guest_state_load_db(). */
int editor_system_open(struct editor *e, struct editor_system *out, struct err *err);
void editor_system_fini(struct editor_system *s);

/* Add the paths that the guest lacks to its /nix/store, with so many threads. */
int editor_system_add(struct editor_system *s, unsigned threads, const atomic_bool *stop,
                      struct err *err);

#endif
