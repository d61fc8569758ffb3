/* SPDX-License-Identifier: MIT */
/*
 * Adds store paths to an existing file system, on several threads.
 * store_fill.h does this for a new one.
 */
#ifndef IMAGE_STORE_ADD_H
#define IMAGE_STORE_ADD_H

#include "ext4/ext4_edit.h"
#include "image/stream_fill.h"

/*
 * Copy src's items into the directory dir (/nix/store) of e; existing paths of
 * the same names are replaced. -ERR_SPACE, before anything is written, if they
 * do not fit; -ERR_MISMATCH if an item does not match its hash.
 */
int store_add(struct ext4_edit *e, uint32_t dir, const struct store_source *src,
              const struct store_fill_options *opt, struct err *err);

/*
 * The same for items that arrive as NARs, with the same layout. Only complete
 * NARs with the expected hash are written. -ERR_SPACE as soon as it is known.
 */
int stream_add(struct ext4_edit *e, uint32_t dir, const struct stream_source *src,
               const struct stream_fill_options *opt, struct err *err);

#endif
