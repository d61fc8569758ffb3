/* SPDX-License-Identifier: MIT */
/*
 * A small tree built in memory, and a walk over it. For files that are made, not
 * copied: a root file system's skeleton, a boot directory.
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
 * Add entries at absolute paths ("/etc/nixos"). Missing parents are created, mode
 * 0755, owner 0:0. Adding an existing directory sets its mode and owner; anything
 * else that exists already, and an invalid path, is a bug in the caller and
 * aborts. Bytes and texts are copied.
 */
void tree_dir(struct tree *t, const char *path, uint32_t mode, uint32_t uid, uint32_t gid);
void tree_file(struct tree *t, const char *path, uint32_t mode, const void *p, size_t n);
void tree_link(struct tree *t, const char *path, const char *target);
/* The contents of a file of the host, read when walked; fd is borrowed, size is bytes. */
void tree_host_file(struct tree *t, const char *path, uint32_t mode, int fd, uint64_t size);
/*
 * A part of a file of the host, from off on. It may replace an existing file, whose
 * owner is kept.
 */
void tree_host_part(struct tree *t, const char *path, uint32_t mode, int fd, uint64_t off,
                    uint64_t size);
/*
 * For another process, where the same files have other descriptors: call map for the descriptor of
 * each file of the host, and use what it returns from now on.
 */
void tree_map_fds(struct tree *t, int (*map)(void *ctx, int fd), void *ctx);
/* The kind of the entry at a path; false: there is none. */
bool tree_find(const struct tree *t, const char *path, enum walk_kind *kind);
/* Set the mode of an entry, or the owner of it and of all below it. false: there is none. */
bool tree_chmod(struct tree *t, const char *path, uint32_t mode);
bool tree_chown(struct tree *t, const char *path, uint32_t uid, uint32_t gid);
/* Set a directory's handle; add a WALK_GRAFT. See struct walk_entry. */
void tree_handle(struct tree *t, const char *path, uint32_t handle);
void tree_graft(struct tree *t, const char *path, uint32_t handle, enum walk_kind kind);

/* A walk over the tree, which must outlive it and not change. */
struct walk *tree_walk(const struct tree *t);

#endif
