/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "ext4/ext4_channel.h"

#include <stdbool.h>
#include <string.h>

/* libext2fs passes only a name to the I/O manager's open(). */
static _Thread_local const struct ext4_channel *opening;

static errcode_t channel_close(io_channel io)
{
	ext2fs_free_mem(&io->name);
	ext2fs_free_mem(&io);
	return 0;
}

static errcode_t channel_set_blksize(io_channel io, int size)
{
	io->block_size = size;
	return 0;
}

/* A negative count is bytes. */
static size_t size_of(io_channel io, int count)
{
	return count < 0 ? (size_t)-count : (size_t)count * (size_t)io->block_size;
}

/* No file system that we open has so many blocks; the product cannot overflow. */
static bool sane(io_channel io, unsigned long long block)
{
	return block < (1ull << 48) && io->block_size <= 65536;
}

static errcode_t channel_read(io_channel io, unsigned long long block, int count, void *data)
{
	const struct ext4_channel *ch = io->private_data;

	if (!sane(io, block))
		return EXT2_ET_SHORT_READ;
	return ch->read(ch->data, block * (uint64_t)io->block_size, data, size_of(io, count));
}

static errcode_t channel_write(io_channel io, unsigned long long block, int count, const void *data)
{
	const struct ext4_channel *ch = io->private_data;

	if (!sane(io, block))
		return EXT2_ET_SHORT_WRITE;
	return ch->write(ch->data, block * (uint64_t)io->block_size, data, size_of(io, count));
}

static errcode_t channel_read32(io_channel io, unsigned long block, int count, void *data)
{
	return channel_read(io, block, count, data);
}

static errcode_t channel_write32(io_channel io, unsigned long block, int count, const void *data)
{
	return channel_write(io, block, count, data);
}

static errcode_t channel_write_byte(io_channel io, unsigned long off, int n, const void *data)
{
	const struct ext4_channel *ch = io->private_data;

	return ch->write(ch->data, off, data, (size_t)n);
}

static errcode_t channel_flush(io_channel io)
{
	(void)io;
	return 0;
}

static errcode_t channel_zeroout(io_channel io, unsigned long long block, unsigned long long count)
{
	const struct ext4_channel *ch = io->private_data;
	uint64_t size = (uint64_t)io->block_size;

	if (!ch->zero)
		return EXT2_ET_UNIMPLEMENTED;
	if (!sane(io, block) || !sane(io, count))
		return EXT2_ET_SHORT_WRITE;
	return ch->zero(ch->data, block * size, count * size);
}

static errcode_t channel_open(const char *name, int flags, io_channel *out);

static struct struct_io_manager channel_manager = {
        .magic = EXT2_ET_MAGIC_IO_MANAGER,
        .name = "domstrap",
        .open = channel_open,
        .close = channel_close,
        .set_blksize = channel_set_blksize,
        .read_blk = channel_read32,
        .write_blk = channel_write32,
        .flush = channel_flush,
        .write_byte = channel_write_byte,
        .read_blk64 = channel_read,
        .write_blk64 = channel_write,
        .zeroout = channel_zeroout,
};

static errcode_t channel_open(const char *name, int flags, io_channel *out)
{
	io_channel io;
	errcode_t rc = ext2fs_get_memzero(sizeof *io, &io);

	(void)flags;
	if (rc)
		return rc;
	io->magic = EXT2_ET_MAGIC_IO_CHANNEL;
	io->manager = &channel_manager;
	io->block_size = 1024;
	io->refcount = 1;
	io->private_data = (void *)(uintptr_t)take(&opening);
	rc = ext2fs_get_mem(strlen(name) + 1, &io->name);
	if (rc) {
		ext2fs_free_mem(&io);
		return rc;
	}
	memcpy(io->name, name, strlen(name) + 1);
	*out = io;
	return 0;
}

io_manager ext4_channel_manager(const struct ext4_channel *ch)
{
	opening = ch;
	return &channel_manager;
}
