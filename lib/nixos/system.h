/* SPDX-License-Identifier: MIT */
/*
 * A built NixOS system on this host: what is needed to boot it. Read from its
 * boot.json or, where it has none, from the files beside it.
 */
#ifndef NIXOS_SYSTEM_H
#define NIXOS_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct store_files;

/* Owns its strings. All paths are in /nix/store as the guest will see it; put
 * the root before them to read them here. */
struct nixos_system {
	char *toplevel; /* a store path */
	char *init;     /* for "init=": in toplevel, links in it not followed */
	char *kernel;   /* the file itself, links followed; NULL: none */
	char *initrd;   /* the file itself, links followed; NULL: none */
	char **params;  /* kernel command line without init= */
	size_t nparams;
	char *version;    /* such as 25.11.20251201.ccccccc; "" where it says none */
	bool etc_overlay; /* system.etc.overlay: the root's own /etc is hidden */
	char *label;      /* such as "NixOS 25.11 (Linux 6.12.40)" */
	char *system;     /* such as x86_64-linux; "" where it does not say */
};

/*
 * path is a store path, or leads to one through links, such as ./result or
 * ROOT/nix/var/nix/profiles/system; links are followed as seen from within
 * root ("" or "/": the host's own).
 * 0, or -ERR_NOENT: no such path; -ERR_USAGE: not a store path, or not a NixOS
 * system; -ERR_FORMAT: it is one, but broken, or leads out of the store.
 */
int nixos_system_load(const char *root, const char *path, struct nixos_system *out,
                      struct err *err);
/* The same in the store of these files. */
int nixos_system_load_from(struct store_files *files, const char *path, struct nixos_system *out,
                           struct err *err);
void nixos_system_fini(struct nixos_system *s);

#endif
