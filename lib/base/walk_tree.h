/* SPDX-License-Identifier: MIT */
/*
 * A small tree built in memory, and a walk over it. For what is not copied
 * from anywhere: a root file system's skeleton, a boot directory.
 */
#ifndef BASE_WALK_TREE_H
#define BASE_WALK_TREE_H

#include "base/walk.h"

struct tree;

/* A tree whose root directory has the mode; every time stamp is mtime. */
struct tree *tree_new(uint32_t mode, int64_t mtime);
void tree_free(struct tree *t);
void tree_freep(struct tree **t);

/*
 * Add things at absolute paths ("/etc/nixos"). Missing parents are made, mode
 * 0755, owner 0:0. Adding a directory that is there sets its mode and owner;
 * anything else that is there already, and an invalid path, is a bug in the
 * caller and aborts. Bytes and texts are copied.
 */
void tree_dir(struct tree *t, const char *path, uint32_t mode, uint32_t uid, uint32_t gid);
void tree_file(struct tree *t, const char *path, uint32_t mode, const void *p, size_t n);
void tree_link(struct tree *t, const char *path, const char *target);
/* Content of a host's file, read when walked; fd is borrowed, size is bytes. */
void tree_host_file(struct tree *t, const char *path, uint32_t mode, int fd, uint64_t size);
/*
 * A part of a host's file, from off on. It may take the place of a file that is
 * there, whose owner is kept.
 */
void tree_host_part(struct tree *t, const char *path, uint32_t mode, int fd, uint64_t off,
                    uint64_t size);
/* What is at a path; false: nothing, or something in its way is no directory. */
bool tree_find(const struct tree *t, const char *path, enum walk_kind *kind);
/* Set the mode of what is there, or the owner of it and of all below it. false: nothing. */
bool tree_chmod(struct tree *t, const char *path, uint32_t mode);
bool tree_chown(struct tree *t, const char *path, uint32_t uid, uint32_t gid);
/* See walk.h: a directory's handle, and a tree that stands elsewhere. */
void tree_handle(struct tree *t, const char *path, uint32_t handle);
void tree_graft(struct tree *t, const char *path, uint32_t handle, enum walk_kind kind);

/* A walk over the tree, which must outlive it and stay as it is. */
struct walk *tree_walk(const struct tree *t);

#endif
