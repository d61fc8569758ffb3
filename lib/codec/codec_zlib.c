/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"

static int gzip_init(struct codec_state *s)
{
	s->own = xcalloc(1, sizeof(z_stream));
	return inflateInit2((z_stream *)s->own, 15 + 16) == Z_OK ? 0 : -ERR_LIMIT;
}

static int gzip_step(struct codec_state *s, struct codec_io *io)
{
	z_stream *z = s->own;
	int code;

	z->next_in = (uint8_t *)(uintptr_t)io->in;
	z->avail_in = (unsigned)MIN(io->in_n, (size_t)UINT_MAX);
	z->next_out = io->out;
	z->avail_out = (unsigned)MIN(io->out_n, (size_t)UINT_MAX);
	io->in_n -= z->avail_in;
	io->out_n -= z->avail_out;
	code = inflate(z, Z_NO_FLUSH);
	io->in = z->next_in;
	io->in_n += z->avail_in;
	io->out = z->next_out;
	io->out_n += z->avail_out;
	return code == Z_STREAM_END ? 1 : code == Z_OK || code == Z_BUF_ERROR ? 0 : -ERR_FORMAT;
}

static void gzip_fini(struct codec_state *s)
{
	inflateEnd((z_stream *)s->own);
	free(s->own);
}

const struct codec codec_gzip = {"gzip", "\x1f\x8b\x08", 3, gzip_init, gzip_step, gzip_fini};
