/* SPDX-License-Identifier: MIT */
/* guest_fs.h over a view of lib/fs. */
#ifndef NIXOS_GUEST_VIEW_H
#define NIXOS_GUEST_VIEW_H

#include "ext4/ext4_edit.h"

struct fs;

/* What is kept of a view, which is borrowed. */
struct guest_view *guest_view_new(struct fs *view);
void guest_view_free(struct guest_view *v);

int guest_view_find(struct guest_view *v, const char *path, bool follow, uint32_t *ino,
                    struct err *err);
int guest_view_resolve(struct guest_view *v, const char *path, uint32_t *ino, char **real,
                       struct err *err);
int guest_view_stat(struct guest_view *v, uint32_t ino, struct ext4_stat *out, struct err *err);
int guest_view_readlink(struct guest_view *v, uint32_t ino, struct buf *out, struct err *err);
int guest_view_read(struct guest_view *v, uint32_t ino, size_t limit, struct buf *out,
                    struct err *err);
int guest_view_walk(struct guest_view *v, uint32_t ino, struct walk **out, struct err *err);
int guest_view_list(struct guest_view *v, uint32_t dir, const struct ext4_entry **out, size_t *n,
                    struct err *err);

#endif
