/* SPDX-License-Identifier: MIT */
/* Where the streams' inodes go; inside lib/ext4 only. */
#ifndef EXT4_EXT4_INODES_H
#define EXT4_EXT4_INODES_H

#include "ext4/ext4_writer.h"

/* n formatted inodes from number first on: to the tables, or to the spool. */
int ext4_write_inodes(struct ext4_writer *w, uint32_t first, uint32_t n, const uint8_t *raw,
                      struct err *err);

#endif
