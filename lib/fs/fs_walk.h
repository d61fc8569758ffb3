/* SPDX-License-Identifier: MIT */
/* A tree of a guest's file system as a walk (base/walk.h). */
#ifndef FS_FS_WALK_H
#define FS_FS_WALK_H

#include "base/walk.h"
#include "fs/fs.h"

#define FS_WALK_ENTRIES_MAX (1u << 20) /* names in one directory */

/*
 * The tree at path; a last link is not followed. fs must outlive *out. A device, a
 * duplicate name, or more than WALK_DEPTH_MAX levels is -ERR_FORMAT or -ERR_LIMIT,
 * here or from walk_next().
 */
int fs_walk_new(struct fs *fs, struct str path, struct walk **out, struct err *err);
/* The same of what a path led to. What is mounted below it is no part of the tree. */
int fs_walk_at(const struct fs_place *at, struct walk **out, struct err *err);

#endif
