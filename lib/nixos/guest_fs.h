/* SPDX-License-Identifier: MIT */
/*
 * Reading a file system of a guest that is off (struct off_guest_fs): an ext4 through its edit, so
 * that changes are seen before they are committed, and every other root through a view of lib/fs.
 * The functions are those of ext4/ext4_edit.h. Numbers of files are inodes, or in a view numbers
 * that are given when a file is first found.
 */
#ifndef NIXOS_GUEST_FS_H
#define NIXOS_GUEST_FS_H

#include "ext4/ext4_edit.h"

struct off_guest_fs;

int guest_fs_find(struct off_guest_fs *fs, const char *path, bool follow, uint32_t *ino,
                  struct err *err);
int guest_fs_resolve(struct off_guest_fs *fs, const char *path, uint32_t *ino, char **real,
                     struct err *err);
int guest_fs_stat(struct off_guest_fs *fs, uint32_t ino, struct ext4_stat *out, struct err *err);
int guest_fs_readlink(struct off_guest_fs *fs, uint32_t ino, struct buf *out, struct err *err);
int guest_fs_read(struct off_guest_fs *fs, uint32_t ino, size_t limit, struct buf *out,
                  struct err *err);
int guest_fs_read_path(struct off_guest_fs *fs, const char *path, size_t limit, struct buf *out,
                       struct err *err);
int guest_fs_walk(struct off_guest_fs *fs, uint32_t ino, struct walk **out, struct err *err);
/* The types in a view's entries are 0. */
int guest_fs_list(struct off_guest_fs *fs, uint32_t dir, const struct ext4_entry **out, size_t *n,
                  struct err *err);
int guest_fs_lookup(struct off_guest_fs *fs, uint32_t dir, const char *name, struct ext4_entry *out,
                    struct err *err);

#endif
