/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "cache/decompress_codecs.h"

#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include <zstd_errors.h>

/* Memory that a stream may use: xz -6 needs 9 MiB, xz -9 65, zstd -19 8. */
#define MEMORY_USUAL (16u << 20)
#define MEMORY_MAX (72u << 20)
#define ZSTD_WINDOW_LOG_MAX 27 /* zstd's own limit, and what its highest level uses */
#define SKIPPABLE_HEAD 8u

/*
 * Only one stream at a time may use more than MEMORY_USUAL, to limit the memory of
 * many threads. The holder never waits for another waiter, so this cannot deadlock.
 */
static sem_t big_turn;
static pthread_once_t big_once = PTHREAD_ONCE_INIT;

static void init_big_turn(void)
{
	sem_init(&big_turn, 0, 1);
}

static void take_big_turn(struct state *s)
{
	if (s->big)
		return;
	pthread_once(&big_once, init_big_turn);
	while (sem_wait(&big_turn) < 0)
		;
	s->big = true;
}

static void end_big_turn(struct state *s)
{
	if (s->big)
		sem_post(&big_turn);
	s->big = false;
}

static int gzip_init(struct state *s)
{
	s->gzip = (z_stream){0};
	return inflateInit2(&s->gzip, 15 + 16) == Z_OK ? 0 : -ERR_LIMIT;
}

static int gzip_step(struct state *s, struct io *io)
{
	z_stream *z = &s->gzip;
	int code;

	z->next_in = (uint8_t *)(uintptr_t)io->in;
	z->avail_in = (unsigned)io->in_n;
	z->next_out = io->out;
	z->avail_out = (unsigned)MIN(io->out_n, (size_t)UINT_MAX);
	io->out_n -= z->avail_out;
	code = inflate(z, Z_NO_FLUSH);
	io->in = z->next_in;
	io->in_n = z->avail_in;
	io->out = z->next_out;
	io->out_n += z->avail_out;
	return code == Z_STREAM_END ? 1 : code == Z_OK || code == Z_BUF_ERROR ? 0 : -ERR_FORMAT;
}

static void gzip_fini(struct state *s)
{
	inflateEnd(&s->gzip);
}

static int bzip2_init(struct state *s)
{
	s->bzip2 = (bz_stream){0};
	return BZ2_bzDecompressInit(&s->bzip2, 0, 0) == BZ_OK ? 0 : -ERR_LIMIT;
}

static int bzip2_step(struct state *s, struct io *io)
{
	bz_stream *z = &s->bzip2;
	int code;

	z->next_in = (char *)(uintptr_t)io->in;
	z->avail_in = (unsigned)io->in_n;
	z->next_out = (char *)io->out;
	z->avail_out = (unsigned)MIN(io->out_n, (size_t)UINT_MAX);
	io->out_n -= z->avail_out;
	code = BZ2_bzDecompress(z);
	io->in = (uint8_t *)z->next_in;
	io->in_n = z->avail_in;
	io->out = (uint8_t *)z->next_out;
	io->out_n += z->avail_out;
	return code == BZ_STREAM_END ? 1 : code == BZ_OK ? 0 : -ERR_FORMAT;
}

static void bzip2_fini(struct state *s)
{
	BZ2_bzDecompressEnd(&s->bzip2);
}

/* All streams of a file, and the padding between and after them. */
static int xz_init(struct state *s)
{
	lzma_stream fresh = LZMA_STREAM_INIT;

	s->xz = fresh;
	return lzma_stream_decoder(&s->xz, MEMORY_USUAL, LZMA_CONCATENATED) == LZMA_OK ? 0
	                                                                               : -ERR_LIMIT;
}

static int lzma_init(struct state *s)
{
	lzma_stream fresh = LZMA_STREAM_INIT;

	s->xz = fresh;
	return lzma_alone_decoder(&s->xz, MEMORY_USUAL) == LZMA_OK ? 0 : -ERR_LIMIT;
}

static int xz_step(struct state *s, struct io *io)
{
	lzma_stream *z = &s->xz;
	lzma_ret code;

	z->next_in = io->in;
	z->avail_in = io->in_n;
	z->next_out = io->out;
	z->avail_out = io->out_n;
	code = lzma_code(z, io->eof ? LZMA_FINISH : LZMA_RUN);
	if (code == LZMA_MEMLIMIT_ERROR && !s->big) {
		take_big_turn(s);
		lzma_memlimit_set(z, MEMORY_MAX);
		code = lzma_code(z, io->eof ? LZMA_FINISH : LZMA_RUN);
	}
	io->in = z->next_in;
	io->in_n = z->avail_in;
	io->out = z->next_out;
	io->out_n = z->avail_out;
	if (code == LZMA_MEMLIMIT_ERROR)
		return -ERR_LIMIT;
	return code == LZMA_STREAM_END                     ? 1
	       : code == LZMA_OK || code == LZMA_BUF_ERROR ? 0
	                                                   : -ERR_FORMAT;
}

static void xz_fini(struct state *s)
{
	lzma_end(&s->xz);
	end_big_turn(s);
}

/* RFC 8878, section 3.1.1.1: the window that a frame's header asks for. */
static uint64_t zstd_window(const struct io *io)
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

static int zstd_init(struct state *s)
{
	s->zstd.stream = NULL;
	s->zstd.skips = false;
	return 0;
}

/* Section 3.1.2. libzstd would continue with the next frame, whose window size has not
 * been checked yet. */
static int zstd_skip(struct state *s, struct io *io)
{
	size_t n;

	if (!s->zstd.skips) {
		s->zstd.skips = true;
		s->zstd.skip = get_le32(io->in + 4);
		io->in += SKIPPABLE_HEAD;
		io->in_n -= SKIPPABLE_HEAD;
	}
	n = (size_t)MIN((uint64_t)io->in_n, s->zstd.skip);
	io->in += n;
	io->in_n -= n;
	s->zstd.skip -= n;
	return s->zstd.skip == 0;
}

/* At the beginning of a frame; refill() ensured that its header is whole. */
static int zstd_begin(struct state *s, const struct io *io)
{
	if (zstd_window(io) > 1ull << ZSTD_WINDOW_LOG_MAX)
		return -ERR_LIMIT;
	if (zstd_window(io) > MEMORY_USUAL)
		take_big_turn(s);
	s->zstd.stream = ZSTD_createDStream();
	if (!s->zstd.stream)
		return -ERR_LIMIT;
	ZSTD_DCtx_setParameter(s->zstd.stream, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
	return 0;
}

static int zstd_step(struct state *s, struct io *io)
{
	ZSTD_inBuffer in = {io->in, io->in_n, 0};
	ZSTD_outBuffer out = {io->out, io->out_n, 0};
	size_t code;

	if (s->zstd.skips ||
	    (!s->zstd.stream && io->in_n >= SKIPPABLE_HEAD &&
	     (get_le32(io->in) & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START))
		return zstd_skip(s, io);
	if (!s->zstd.stream && zstd_begin(s, io) < 0)
		return -ERR_LIMIT;
	code = ZSTD_decompressStream(s->zstd.stream, &out, &in);
	io->in += in.pos;
	io->in_n -= in.pos;
	io->out += out.pos;
	io->out_n -= out.pos;
	if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
		return -ERR_LIMIT;
	return ZSTD_isError(code) ? -ERR_FORMAT : code == 0 ? 1 : 0;
}

static void zstd_fini(struct state *s)
{
	ZSTD_freeDStream(s->zstd.stream);
	end_big_turn(s);
}

static int lz4_init(struct state *s)
{
	return LZ4F_isError(LZ4F_createDecompressionContext(&s->lz4, LZ4F_VERSION)) ? -ERR_LIMIT
	                                                                            : 0;
}

static int lz4_step(struct state *s, struct io *io)
{
	size_t in = io->in_n, out = io->out_n;
	size_t code = LZ4F_decompress(s->lz4, io->out, &out, io->in, &in, NULL);

	if (LZ4F_isError(code))
		return -ERR_FORMAT;
	io->in += in;
	io->in_n -= in;
	io->out += out;
	io->out_n -= out;
	return code == 0;
}

static void lz4_fini(struct state *s)
{
	LZ4F_freeDecompressionContext(s->lz4);
}

static int br_init(struct state *s)
{
	s->br = BrotliDecoderCreateInstance(NULL, NULL, NULL);
	return s->br ? 0 : -ERR_LIMIT;
}

static int br_step(struct state *s, struct io *io)
{
	BrotliDecoderResult code = BrotliDecoderDecompressStream(s->br, &io->in_n, &io->in,
	                                                         &io->out_n, &io->out, NULL);

	return code == BROTLI_DECODER_RESULT_SUCCESS ? 1
	       : code == BROTLI_DECODER_RESULT_ERROR ? -ERR_FORMAT
	                                             : 0;
}

static void br_fini(struct state *s)
{
	BrotliDecoderDestroyInstance(s->br);
}

#define MAGIC(bytes) (bytes), sizeof(bytes) - 1

const struct codec codecs[] = {
        {"none", "", MAGIC(""), false, NULL, NULL, NULL},
        {"xz", ".xz", MAGIC("\xfd\x37zXZ"), true, xz_init, xz_step, xz_fini},
        {"zstd", ".zst", MAGIC("\x28\xb5\x2f\xfd"), false, zstd_init, zstd_step, zstd_fini},
        {"bzip2", ".bz2", MAGIC("BZh"), true, bzip2_init, bzip2_step, bzip2_fini},
        {"gzip", ".gz", MAGIC("\x1f\x8b\x08"), false, gzip_init, gzip_step, gzip_fini},
        {"br", ".br", MAGIC(""), true, br_init, br_step, br_fini},
        {"lz4", ".lz4", MAGIC("\x04\x22\x4d\x18"), false, lz4_init, lz4_step, lz4_fini},
        {"lzma", ".lzma", MAGIC("\x5d\0\0"), true, lzma_init, xz_step, xz_fini},
};

const size_t n_codecs = ARRAY_LEN(codecs);

const char *codec_bound(const struct codec *c)
{
	return c->step == zstd_step ? "windows of up to 128 MiB"
	       : c->step == xz_step ? "dictionaries of up to 64 MiB"
	                            : "its standard settings";
}
