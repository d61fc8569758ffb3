/* SPDX-License-Identifier: MIT */
#include <lz4frame.h>

#include "base/err.h"
#include "codec/codec.h"

static int lz4_init(struct codec_state *s)
{
	LZ4F_dctx *z = NULL;
	size_t code = LZ4F_createDecompressionContext(&z, LZ4F_VERSION);

	s->own = z;
	return LZ4F_isError(code) ? -ERR_LIMIT : 0;
}

static int lz4_step(struct codec_state *s, struct codec_io *io)
{
	size_t in = io->in_n, out = io->out_n;
	size_t code = LZ4F_decompress(s->own, io->out, &out, io->in, &in, NULL);

	if (LZ4F_isError(code))
		return -ERR_FORMAT;
	io->in += in;
	io->in_n -= in;
	io->out += out;
	io->out_n -= out;
	return code == 0;
}

static void lz4_fini(struct codec_state *s)
{
	LZ4F_freeDecompressionContext(s->own);
}

const struct codec codec_lz4 = {"lz4", "\x04\x22\x4d\x18", 4, lz4_init, lz4_step, lz4_fini};
