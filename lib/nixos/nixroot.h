/* SPDX-License-Identifier: MIT */
/*
 * What an installed NixOS has on its root file system beside the store: the
 * Nix database and profile, and the directories that stage 1 and 2 expect.
 */
#ifndef NIXOS_NIXROOT_H
#define NIXOS_NIXROOT_H

#include <stdbool.h>

#include "base/walk_tree.h"

/*
 * A link to the system that the xl config boots, past the menu: nothing in the guest
 * else says that it must stay. It is a root for Nix, too.
 */
#define NIXROOT_DIRECT "/nix/var/nix/gcroots/domstrap-direct"

/* The writable layer of an /etc that is an overlay (system.etc.overlay.mutable). */
#define NIXROOT_ETC_UPPER "/.rw-etc/upper"

/* A file of /etc/nixos. */
struct nixroot_file {
	const char *name;
	struct str text;
};

/* Borrowed. */
struct nixroot {
	const char *toplevel;     /* the system, a store path */
	bool direct;              /* the xl config boots it, past its menu */
	struct str database;      /* db.sqlite */
	struct str schema;        /* its file beside it */
	const char *channel_url;  /* of root's channel, or NULL */
	const char *channel_name; /* "nixos" */
	bool etc_upper;           /* what is put into /etc goes to NIXROOT_ETC_UPPER */
	const struct nixroot_file *etc_nixos;
	size_t n_etc_nixos;
	int64_t time; /* seconds since 1970: generation 1's date */
};

/* A tree that the caller frees; /nix/store is not in it. */
struct tree *nixroot_tree(const struct nixroot *root);

#endif
