/* SPDX-License-Identifier: MIT */
/*
 * libext2fs's way to a disk of ours: an I/O channel of the library that is
 * three functions on bytes.
 */
#ifndef EXT4_EXT4_CHANNEL_H
#define EXT4_EXT4_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include <ext2fs/ext2fs.h>

/* Offsets and sizes are bytes. Each returns 0 or what the library shall fail with. */
struct ext4_channel {
	void *data; /* for the functions */
	errcode_t (*read)(void *data, uint64_t off, void *to, size_t n);
	errcode_t (*write)(void *data, uint64_t off, const void *from, size_t n);
	errcode_t (*zero)(void *data, uint64_t off, uint64_t n); /* NULL: zeros are written */
};

/*
 * The manager to hand to ext2fs_open() or ext2fs_initialize(), which must be
 * the next call of this thread. What they open borrows ch until it is closed.
 */
io_manager ext4_channel_manager(const struct ext4_channel *ch);

#endif
