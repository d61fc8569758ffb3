/* SPDX-License-Identifier: MIT */
#include "fs/ext_io.h"

#include <string.h>

#include "base/mem.h"

struct channel {
	struct struct_io_channel io; /* first: libext2fs has a pointer to it */
	const struct window *w;
	struct err *fault;
};

/* libext2fs passes only a name to its open function; the name stands for this. */
static _Thread_local const struct window *opening;
static _Thread_local struct err *opening_fault;

static struct struct_io_manager manager;

static errcode_t channel_open(const char *name, int flags, io_channel *out)
{
	struct channel *c = xcalloc(1, sizeof *c);

	c->io.magic = EXT2_ET_MAGIC_IO_CHANNEL;
	c->io.manager = &manager;
	c->io.name = xstrdup(name);
	c->io.block_size = 1024;
	c->io.refcount = 1;
	c->w = opening;
	c->fault = opening_fault;
	*out = &c->io;
	return 0;
}

static errcode_t channel_close(io_channel io)
{
	if (--io->refcount > 0)
		return 0;
	free(io->name);
	free(io);
	return 0;
}

static errcode_t channel_set_blksize(io_channel io, int size)
{
	if (size <= 0)
		return EXT2_ET_INVALID_ARGUMENT;
	io->block_size = size;
	return 0;
}

/* count is blocks, or bytes where it is negative. */
static errcode_t channel_read(io_channel io, unsigned long long block, int count, void *p)
{
	const struct channel *c = (const struct channel *)io;
	uint64_t size = (uint64_t)io->block_size;
	uint64_t n = count < 0 ? (uint64_t)-(int64_t)count : (uint64_t)count * size;

	if (block > c->w->size / size)
		return EXT2_ET_SHORT_READ;
	if (window_read(c->w, p, (size_t)n, block * size, c->fault) < 0)
		return EXT2_ET_SHORT_READ;
	return 0;
}

static errcode_t channel_read_32(io_channel io, unsigned long block, int count, void *p)
{
	return channel_read(io, block, count, p);
}

/* A window cannot be written. These functions fail; without them libext2fs would call NULL. */
static errcode_t channel_refuse(io_channel io, unsigned long long block, int count, const void *p)
{
	return EXT2_ET_RO_FILSYS;
}

static errcode_t channel_refuse_32(io_channel io, unsigned long block, int count, const void *p)
{
	return EXT2_ET_RO_FILSYS;
}

static errcode_t channel_flush(io_channel io)
{
	return 0;
}

static struct struct_io_manager manager = {
        .magic = EXT2_ET_MAGIC_IO_MANAGER,
        .name = "window",
        .open = channel_open,
        .close = channel_close,
        .set_blksize = channel_set_blksize,
        .read_blk = channel_read_32,
        .read_blk64 = channel_read,
        .write_blk = channel_refuse_32,
        .write_blk64 = channel_refuse,
        .flush = channel_flush,
};

errcode_t ext_io_open(const struct window *w, struct err *fault, int flags, ext2_filsys *out)
{
	errcode_t e;

	opening = w;
	opening_fault = fault;
	e = ext2fs_open2("window", NULL, flags, 0, 0, &manager, out);
	opening = NULL;
	opening_fault = NULL;
	return e;
}
