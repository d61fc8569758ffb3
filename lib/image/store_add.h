/* SPDX-License-Identifier: MIT */
/*
 * Adds store paths to a file system that is there already, on several threads.
 * store_fill.h does it for a new one.
 */
#ifndef IMAGE_STORE_ADD_H
#define IMAGE_STORE_ADD_H

#include "ext4/ext4_edit.h"
#include "image/stream_fill.h"

/*
 * Copy src's items into the directory dir (/nix/store) of e; what has a name
 * of theirs already is replaced. -ERR_SPACE before anything is written where
 * it would not fit; -ERR_MISMATCH where an item is not what its hash says.
 */
int store_add(struct ext4_edit *e, uint32_t dir, const struct store_source *src,
              const struct store_fill_options *opt, struct err *err);

/*
 * The same for items that come as NARs; each goes where store_add() puts it.
 * Only what has come whole, with the promised hash, is written. -ERR_SPACE as
 * soon as it is known.
 */
int stream_add(struct ext4_edit *e, uint32_t dir, const struct stream_source *src,
               const struct stream_fill_options *opt, struct err *err);

#endif
