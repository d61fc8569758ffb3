/* SPDX-License-Identifier: MIT */
#include <lzma.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"

static lzma_stream *stream_new(struct codec_state *s)
{
	static const lzma_stream fresh = LZMA_STREAM_INIT;
	lzma_stream *z = xmalloc(sizeof *z);

	*z = fresh;
	s->own = z;
	return z;
}

static int xz_init(struct codec_state *s)
{
	return lzma_stream_decoder(stream_new(s), s->memory->usual, 0) == LZMA_OK ? 0 : -ERR_LIMIT;
}

static int xzs_init(struct codec_state *s)
{
	return lzma_stream_decoder(stream_new(s), s->memory->usual, LZMA_CONCATENATED) == LZMA_OK
	               ? 0
	               : -ERR_LIMIT;
}

static int lzma_init(struct codec_state *s)
{
	return lzma_alone_decoder(stream_new(s), s->memory->usual) == LZMA_OK ? 0 : -ERR_LIMIT;
}

static int lzma_step(struct codec_state *s, struct codec_io *io)
{
	lzma_action action = io->eof ? LZMA_FINISH : LZMA_RUN;
	lzma_stream *z = s->own;
	lzma_ret code;

	z->next_in = io->in;
	z->avail_in = io->in_n;
	z->next_out = io->out;
	z->avail_out = io->out_n;
	code = lzma_code(z, action);
	if (code == LZMA_MEMLIMIT_ERROR && s->memory->most > s->memory->usual && !s->big) {
		codec_begin_big(s);
		lzma_memlimit_set(z, s->memory->most);
		code = lzma_code(z, action);
	}
	io->in = z->next_in;
	io->in_n = z->avail_in;
	io->out = z->next_out;
	io->out_n = z->avail_out;
	if (code == LZMA_MEMLIMIT_ERROR || code == LZMA_MEM_ERROR)
		return -ERR_LIMIT;
	return code == LZMA_STREAM_END                     ? 1
	       : code == LZMA_OK || code == LZMA_BUF_ERROR ? 0
	                                                   : -ERR_FORMAT;
}

static void fini(struct codec_state *s)
{
	lzma_end((lzma_stream *)s->own);
	free(s->own);
	codec_end_big(s);
}

#define XZ_MAGIC "\xfd\x37zXZ\0"

const struct codec codec_xz = {"xz", XZ_MAGIC, sizeof XZ_MAGIC - 1, xz_init, lzma_step, fini};
const struct codec codec_xzs = {"xz", XZ_MAGIC, sizeof XZ_MAGIC - 1, xzs_init, lzma_step, fini};
const struct codec codec_lzma = {"lzma", "\x5d\0\0", 3, lzma_init, lzma_step, fini};
