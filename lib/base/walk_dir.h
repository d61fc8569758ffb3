/* SPDX-License-Identifier: MIT */
/*
 * A directory tree of the host (or a single file or link) as a walk. Symbolic
 * links are never followed; anything but a file, link or directory is refused.
 */
#ifndef BASE_WALK_DIR_H
#define BASE_WALK_DIR_H

#include "base/walk.h"

enum walk_dir_flags {
	/* Sizes only: files are not opened, walk_read() must not be called. */
	WALK_DIR_STAT = 1 << 0,
	/* Metadata as in a Nix store: owner 0:0; mode 0444, or 0555 for directories
	 * and files that their owner may execute, 0777 for links; time 1. */
	WALK_DIR_CANONICAL = 1 << 1,
};

/*
 * Walk PATH, relative to dirfd as for openat(2). dirfd is borrowed and must
 * stay open as long as the walk; path is copied. Opens nothing yet. Each walk
 * belongs to one thread at a time. Free with walk_free().
 */
struct walk *walk_dir_new(int dirfd, const char *path, unsigned flags);

#endif
