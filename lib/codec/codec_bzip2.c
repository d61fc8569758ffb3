/* SPDX-License-Identifier: MIT */
#include <bzlib.h>
#include <limits.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"

static int bzip2_init(struct codec_state *s)
{
	s->own = xcalloc(1, sizeof(bz_stream));
	return BZ2_bzDecompressInit(s->own, 0, 0) == BZ_OK ? 0 : -ERR_LIMIT;
}

static int bzip2_step(struct codec_state *s, struct codec_io *io)
{
	bz_stream *z = s->own;
	int code;

	z->next_in = (char *)(uintptr_t)io->in;
	z->avail_in = (unsigned)MIN(io->in_n, (size_t)UINT_MAX);
	z->next_out = (char *)io->out;
	z->avail_out = (unsigned)MIN(io->out_n, (size_t)UINT_MAX);
	io->in_n -= z->avail_in;
	io->out_n -= z->avail_out;
	code = BZ2_bzDecompress(z);
	io->in = (uint8_t *)z->next_in;
	io->in_n += z->avail_in;
	io->out = (uint8_t *)z->next_out;
	io->out_n += z->avail_out;
	return code == BZ_STREAM_END ? 1 : code == BZ_OK ? 0 : -ERR_FORMAT;
}

static void bzip2_fini(struct codec_state *s)
{
	BZ2_bzDecompressEnd(s->own);
	free(s->own);
}

const struct codec codec_bzip2 = {"bzip2", "BZh", 3, bzip2_init, bzip2_step, bzip2_fini};
