/* SPDX-License-Identifier: MIT */
#include <brotli/decode.h>

#include "base/err.h"
#include "codec/codec.h"

static int br_init(struct codec_state *s)
{
	s->own = BrotliDecoderCreateInstance(NULL, NULL, NULL);
	return s->own ? 0 : -ERR_LIMIT;
}

static int br_step(struct codec_state *s, struct codec_io *io)
{
	BrotliDecoderResult code = BrotliDecoderDecompressStream(s->own, &io->in_n, &io->in,
	                                                         &io->out_n, &io->out, NULL);

	return code == BROTLI_DECODER_RESULT_SUCCESS ? 1
	       : code == BROTLI_DECODER_RESULT_ERROR ? -ERR_FORMAT
	                                             : 0;
}

static void br_fini(struct codec_state *s)
{
	if (s->own)
		BrotliDecoderDestroyInstance(s->own);
}

const struct codec codec_br = {"br", "", 0, br_init, br_step, br_fini};
