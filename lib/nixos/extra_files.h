/* SPDX-License-Identifier: MIT */
/* The user's files, added to a new root file system. */
#ifndef NIXOS_EXTRA_FILES_H
#define NIXOS_EXTRA_FILES_H

#include "base/walk_tree.h"

struct extra_files {
	struct tree *tree;
	int spool;          /* a nameless file for contents; must outlive the tree */
	uint64_t spool_at;  /* bytes in it */
	bool separate_boot; /* /boot is no part of this tree */
	const char *etc;    /* the directory for files of /etc; NULL: /etc */
};

/*
 * Add what is in a host's directory: files, links and directories, owned by
 * 0:0, with the host's modes less set-id bits. Links of the host are not followed.
 * A directory that the tree has keeps its mode and owner, a file replaces a
 * file; anything else in the way is -ERR_EXISTS. -ERR_UNSUPPORTED: it would go
 * into /nix, or /boot where that is another disk.
 */
int extra_files_add(struct extra_files *x, const char *dir, struct err *err);

/* Where in the tree a path's file goes; the caller frees it. */
char *extra_files_place(const struct extra_files *x, const char *path);

/* Whether a path may be added or changed: absolute, plain, not in those places. */
int extra_files_path_check(const struct extra_files *x, const char *path, struct err *err);

/*
 * A file that a command adds to such a tree; it must not silently replace one of the user's.
 * -ERR_EXISTS. p is borrowed, as by tree_file().
 */
int extra_files_put_file(struct tree *root, const char *path, uint32_t mode, const void *p,
                         size_t n, struct err *err);
/* A directory for it, with this mode if it exists, too. Something else is there: -ERR_EXISTS. */
int extra_files_put_dir(struct tree *root, const char *path, uint32_t mode, struct err *err);

#endif
