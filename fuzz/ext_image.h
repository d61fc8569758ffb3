/* SPDX-License-Identifier: MIT */
/*
 * A small ext4 image with everything that domstrap writes, which inputs damage: an input is a list
 * of patches, after which the checksums are right again.
 *
 *     patch = u8 class, u8 object, le16 offset, u8 length - 1 (modulo 8), bytes
 *
 * Classes are numbered as in enum ext_class; all numbers count modulo what there is.
 */
#ifndef FUZZ_EXT_IMAGE_H
#define FUZZ_EXT_IMAGE_H

#include "ext4/target.h"

enum ext_class {
	EXT_SUPER,
	EXT_GROUP,
	EXT_BLOCK_MAP,
	EXT_INODE_MAP,
	EXT_INODE,
	EXT_DIR,  /* a directory's block */
	EXT_DATA, /* of a file, an extent block or a link's target */
	EXT_JOURNAL,
	EXT_CLASSES,
};

#define EXT_IMAGE_TIME 1759449600

/* The disk: other bytes, the file system with room behind it, other bytes. */
struct ext_image {
	struct target target;
	uint64_t base, size;
};

/* Make it as the input says. The image is valid until the next call. */
const struct ext_image *ext_image_patch(const uint8_t *data, size_t size);
/* Abort if a byte before or behind the file system was written, or the disk has another size. */
void ext_image_check(void);

#endif
