/* SPDX-License-Identifier: MIT */
/*
 * A view: file systems in one tree, as Linux shows them after mount(8). It is a struct fs of its
 * own, for paths, lists and files: those of the file system that is mounted there. As with Linux,
 * what is mounted hides what lies below; links lead from the root of the view.
 *
 *     view /             (hd0,msdos2), subvolume @
 *          /nix          (hd0,msdos2), subvolume @nix
 *          /boot         (hd0,msdos1)
 */
#ifndef FS_VIEW_H
#define FS_VIEW_H

#include "fs/fs.h"

#define FS_VIEW_MOUNTS_MAX 64

/* An empty tree; name, borrowed, is for error texts. fs_free() ends it before what is mounted. */
struct fs *fs_view_new(const char *name);

/* Which directory of a file system is mounted. */
struct fs_subvol {
	struct str path; /* from its top; p NULL: not given */
	uint64_t id;     /* of a subvolume; 0: not given */
};

/*
 * Mount a file system, which is borrowed, at a directory; what was there before is hidden. sub with
 * nothing given: the default subvolume. -ERR_NOENT: what is to be mounted is no directory;
 * -ERR_UNSUPPORTED: it has no subvolumes; -ERR_LIMIT.
 */
int fs_view_mount(struct fs *view, struct str dir, struct fs *what, const struct fs_subvol *sub,
                  struct err *err);
/* Show a directory of the view at another place, too. */
int fs_view_bind(struct fs *view, struct str dir, struct str from, struct err *err);

#endif
