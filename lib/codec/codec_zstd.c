/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"

#define SKIPPABLE_HEAD 8u
#define WINDOW_LOG_MIN 10

struct frame {
	ZSTD_DStream *stream; /* NULL until its header was seen */
	bool skips;
	uint64_t skip; /* bytes left of a skippable frame */
};

static int zstd_init(struct codec_state *s)
{
	s->own = xcalloc(1, sizeof(struct frame));
	return 0;
}

/* RFC 8878, section 3.1.1.1: the window that a frame's header asks for. */
static uint64_t window_of(const struct codec_io *io)
{
	unsigned exponent, mantissa;

	if (io->in_n < 6 || get_le32(io->in) != ZSTD_MAGICNUMBER)
		return 0;
	/* A single segment: the window is the content. */
	if (io->in[4] & 1u << 5)
		return ZSTD_getFrameContentSize(io->in, io->in_n);
	exponent = io->in[5] >> 3;
	mantissa = io->in[5] & 7;
	return (1ull << (10 + exponent)) / 8 * (8 + mantissa);
}

/* Section 3.1.2. libzstd would continue with the next frame, whose window size has not been
 * checked yet. */
static int skip(struct frame *f, struct codec_io *io)
{
	size_t n;

	if (!f->skips) {
		f->skips = true;
		f->skip = get_le32(io->in + 4);
		io->in += SKIPPABLE_HEAD;
		io->in_n -= SKIPPABLE_HEAD;
	}
	n = (size_t)MIN((uint64_t)io->in_n, f->skip);
	io->in += n;
	io->in_n -= n;
	f->skip -= n;
	return f->skip == 0;
}

/* At the beginning of a frame, whose header is whole. */
static int begin(struct codec_state *s, const struct codec_io *io)
{
	struct frame *f = s->own;
	uint64_t window = window_of(io);
	int log = WINDOW_LOG_MIN;

	if (window > s->memory->window)
		return -ERR_LIMIT;
	if (window > s->memory->usual)
		codec_begin_big(s);
	f->stream = ZSTD_createDStream();
	if (!f->stream)
		return -ERR_LIMIT;
	while (log < 30 && 2ull << log <= s->memory->window)
		log++;
	ZSTD_DCtx_setParameter(f->stream, ZSTD_d_windowLogMax, log);
	return 0;
}

static int zstd_step(struct codec_state *s, struct codec_io *io)
{
	ZSTD_inBuffer in = {io->in, io->in_n, 0};
	ZSTD_outBuffer out = {io->out, io->out_n, 0};
	struct frame *f = s->own;
	size_t code;

	if (f->skips ||
	    (!f->stream && io->in_n >= SKIPPABLE_HEAD &&
	     (get_le32(io->in) & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START))
		return skip(f, io);
	if (!f->stream && begin(s, io) < 0)
		return -ERR_LIMIT;
	code = ZSTD_decompressStream(f->stream, &out, &in);
	io->in += in.pos;
	io->in_n -= in.pos;
	io->out += out.pos;
	io->out_n -= out.pos;
	if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
		return -ERR_LIMIT;
	return ZSTD_isError(code) ? -ERR_FORMAT : code == 0 ? 1 : 0;
}

static void zstd_fini(struct codec_state *s)
{
	ZSTD_freeDStream(((struct frame *)s->own)->stream);
	free(s->own);
	codec_end_big(s);
}

const struct codec codec_zstd = {"zstd", "\x28\xb5\x2f\xfd", 4, zstd_init, zstd_step, zstd_fini};
