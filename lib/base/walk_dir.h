/* SPDX-License-Identifier: MIT */
/*
 * A host's directory tree (or a single file or link) as a walk. Symbolic links
 * are never followed; other kinds than file, link and directory are refused.
 */
#ifndef BASE_WALK_DIR_H
#define BASE_WALK_DIR_H

#include "base/walk.h"

enum walk_dir_flags {
	/* Sizes only: files are not opened, walk_read() must not be called. */
	WALK_DIR_STAT = 1 << 0,
	/* Owners, modes and times as a Nix store has them: 0:0, 0444, 0555 for
	 * directories and what its owner may execute, 0777 for links, 1. */
	WALK_DIR_CANONICAL = 1 << 1,
};

/*
 * Walk PATH, relative to dirfd as for openat(2). dirfd is borrowed and must
 * stay open as long as the walk; path is copied. Opens nothing yet. Each walk
 * belongs to one thread at a time. Free with walk_free().
 */
struct walk *walk_dir_new(int dirfd, const char *path, unsigned flags);

#endif
