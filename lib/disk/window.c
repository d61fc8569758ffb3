/* SPDX-License-Identifier: MIT */
#include "disk/window.h"

#include <inttypes.h>
#include <string.h>

#include "base/io.h"

static int fd_read(struct source *src, void *p, size_t n, uint64_t off, struct err *err)
{
	const struct source_fd *s = (const struct source_fd *)src;
	int64_t got = io_pread(s->fd, s->name, p, n, off, err);

	if (got < 0)
		return (int)got;
	if ((size_t)got != n)
		return err_set(err, ERR_FORMAT,
		               "%s: ends at byte %" PRIu64 ", but %zu bytes are needed at %" PRIu64,
		               s->name, off + (uint64_t)got, n, off);
	return 0;
}

static int mem_read(struct source *src, void *p, size_t n, uint64_t off, struct err *err)
{
	const struct source_mem *s = (const struct source_mem *)src;

	if (off > s->n || n > s->n - off)
		return err_set(err, ERR_FORMAT,
		               "%zu bytes are needed at %" PRIu64 ", but there are only %zu", n,
		               off, s->n);
	memcpy(p, s->p + off, n);
	return 0;
}

void source_fd_init(struct source_fd *s, int fd, const char *name)
{
	*s = (struct source_fd){.src = {fd_read}, .fd = fd, .name = name};
}

void source_mem_init(struct source_mem *s, const void *p, size_t n)
{
	*s = (struct source_mem){.src = {mem_read}, .p = p, .n = n};
}

bool window_sector_valid(unsigned sector)
{
	return sector == 512 || sector == 4096;
}

struct window window_over(struct source *src, uint64_t size, const char *name)
{
	return (struct window){.src = src, .size = size, .sector = 512, .name = name};
}

int window_read(const struct window *w, void *p, size_t n, uint64_t off, struct err *err)
{
	if (off > w->size || n > w->size - off)
		return err_set(err, ERR_FORMAT,
		               "%s: %zu bytes are needed at %" PRIu64
		               ", but there are only %" PRIu64,
		               w->name, n, off, w->size);
	if (n == 0)
		return 0;
	return w->src->read(w->src, p, n, w->start + off, err);
}

int window_sub(const struct window *w, uint64_t off, uint64_t size, struct window *out,
               struct err *err)
{
	if (off > w->size || size > w->size - off)
		return err_set(err, ERR_FORMAT,
		               "%s: a range of %" PRIu64 " bytes at %" PRIu64
		               " does not fit into %" PRIu64,
		               w->name, size, off, w->size);
	*out = (struct window){.src = w->src,
	                       .start = w->start + off,
	                       .size = size,
	                       .sector = w->sector,
	                       .name = w->name,
	                       .fixed = w->fixed};
	return 0;
}
