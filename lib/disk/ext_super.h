/* SPDX-License-Identifier: MIT */
/*
 * The superblock of ext2, ext3 and ext4, checked before the rest of the file
 * system is read; and the names of its features, as mke2fs(8) and
 * tune2fs(8) know them.
 */
#ifndef DISK_EXT_SUPER_H
#define DISK_EXT_SUPER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define EXT_SUPER_AT 1024u /* bytes from the start of the file system */
#define EXT_SUPER_SIZE 1024u
#define EXT_BLOCK_MIN 1024u
#define EXT_BLOCK_MAX 65536u

/* Of a superblock of which a part was written, for error texts. */
#define EXT_SUPER_TORN                                                                             \
	"the checksum of its superblock is wrong, as after an interrupted write: "                 \
	"\"debugfs -w -n -R 'set_super_value lastcheck 0'\" corrects it; then run e2fsck -f"

struct ext_features {
	uint32_t compat, incompat, ro_compat;
};

struct ext_super {
	uint32_t block;  /* bytes, EXT_BLOCK_MIN to EXT_BLOCK_MAX */
	uint64_t blocks; /* of the whole; they fit into the place */
	struct ext_features features;
	bool unreplayed; /* needs_recovery: the journal must be replayed */
};

/*
 * Parse the EXT_SUPER_SIZE bytes at EXT_SUPER_AT of a place of size bytes.
 * 0; 1: no such file system; -ERR_FORMAT: invalid values.
 */
int ext_super_parse(const uint8_t *sb, uint64_t size, struct ext_super *out, struct err *err);

/* Append the features' names, "a, b and c"; unknown ones as FEATURE_C12 and the like. */
void ext_features_put(struct ext_features f, struct buf *out);

#endif
