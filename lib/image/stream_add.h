/* SPDX-License-Identifier: MIT */
/*
 * Adds store paths to an existing file system, on several threads.
 * stream_fill.h does this for a new one.
 */
#ifndef IMAGE_STREAM_ADD_H
#define IMAGE_STREAM_ADD_H

#include "ext4/ext4_edit.h"
#include "image/stream_fill.h"

/*
 * Write src's items into the directory dir (/nix/store) of e; existing paths of the same names are
 * replaced. Only complete NARs are written. -ERR_SPACE as soon as it is known that they do not fit;
 * else errors of the source.
 */
int stream_add(struct ext4_edit *e, uint32_t dir, const struct stream_source *src,
               const struct stream_fill_options *opt, struct err *err);

#endif
