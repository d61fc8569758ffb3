/* SPDX-License-Identifier: MIT */
#include "store/decompress.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/show.h"

#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include <brotli/decode.h>
#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define IN_SIZE (256u << 10)
/* Memory that a stream may take: xz -6 wants 9 MiB, xz -9 65, zstd -19 8. */
#define MEMORY_USUAL (16u << 20)
#define MEMORY_MAX (72u << 20)
#define ZSTD_WINDOW_LOG_MAX 27 /* zstd's own limit, and what its highest level uses */

/* What one step may read and write; it moves the pointers on. */
struct io {
	const uint8_t *in;
	size_t in_n;
	uint8_t *out;
	size_t out_n;
	bool eof; /* nothing comes behind in */
};

struct state {
	union {
		z_stream gzip;
		bz_stream bzip2;
		lzma_stream xz;
		ZSTD_DStream *zstd;
		LZ4F_dctx *lz4;
		BrotliDecoderState *br;
	};
	bool big; /* it has big_turn */
};

/* step: 0 more, 1 the end of the stream, <0 as -ERR_*, without a text. */
struct codec {
	const char *name, *suffix;
	bool slow;
	int (*init)(struct state *s);
	int (*step)(struct state *s, struct io *io);
	void (*fini)(struct state *s);
};

struct decompressor {
	const struct codec *codec;
	struct nar_source src;
	struct state state;
	bool open;    /* state is one */
	bool started; /* something of the current stream was read */
	bool any;     /* a whole stream was read */
	struct io io;
	uint8_t in[IN_SIZE];
};

/*
 * One stream at a time may take more than MEMORY_USUAL, so that many threads
 * stay within bounds. Whoever has the turn waits for nobody that wants it.
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

static int xz_init(struct state *s)
{
	lzma_stream fresh = LZMA_STREAM_INIT;

	s->xz = fresh;
	return lzma_stream_decoder(&s->xz, MEMORY_USUAL, 0) == LZMA_OK ? 0 : -ERR_LIMIT;
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
	s->zstd = ZSTD_createDStream();
	if (!s->zstd)
		return -ERR_LIMIT;
	ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
	return 0;
}

static int zstd_step(struct state *s, struct io *io)
{
	ZSTD_inBuffer in = {io->in, io->in_n, 0};
	ZSTD_outBuffer out = {io->out, io->out_n, 0};
	size_t code;

	if (zstd_window(io) > MEMORY_USUAL)
		take_big_turn(s);
	code = ZSTD_decompressStream(s->zstd, &out, &in);

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
	ZSTD_freeDStream(s->zstd);
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

static const struct codec codecs[] = {
        {"none", "", false, NULL, NULL, NULL},
        {"xz", ".xz", true, xz_init, xz_step, xz_fini},
        {"zstd", ".zst", false, zstd_init, zstd_step, zstd_fini},
        {"bzip2", ".bz2", true, bzip2_init, bzip2_step, bzip2_fini},
        {"gzip", ".gz", false, gzip_init, gzip_step, gzip_fini},
        {"br", ".br", true, br_init, br_step, br_fini},
        {"lz4", ".lz4", false, lz4_init, lz4_step, lz4_fini},
};

static const struct codec *find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
		if (str_is(name, codecs[i].name))
			return &codecs[i];
	return NULL;
}

bool decompress_known(struct str name)
{
	return find(name);
}

bool decompress_is_slow(struct str name)
{
	const struct codec *c = find(name);

	return c && c->slow;
}

const char *decompress_suffix(struct str name)
{
	const struct codec *c = find(name);

	return c ? c->suffix : "";
}

int decompress_new(struct str name, struct nar_source src, struct decompressor **out,
                   struct err *err)
{
	const struct codec *codec = find(name);
	struct decompressor *d;
	char shown[SHOW_SIZE];

	if (!codec)
		return err_set(err, ERR_UNSUPPORTED, "compression \"%s\" is not known",
		               show_str(name, shown));
	/* Not xcalloc: the buffer needs no zeroing. */
	d = xmalloc(sizeof *d);
	d->codec = codec;
	d->src = src;
	d->open = d->started = d->any = false;
	d->state.big = false;
	d->io = (struct io){0};
	*out = d;
	return 0;
}

void decompress_free(struct decompressor *d)
{
	if (d && d->open)
		d->codec->fini(&d->state);
	free(d);
}

static int refill(struct decompressor *d, struct err *err)
{
	size_t got;
	int rc;

	if (d->io.in_n || d->io.eof)
		return 0;
	rc = d->src.read(d->src.ctx, d->in, sizeof d->in, &got, err);
	if (rc < 0)
		return rc;
	d->io.in = d->in;
	d->io.in_n = got;
	d->io.eof = got == 0;
	return 0;
}

static int damaged(const struct decompressor *d, int rc, struct err *err)
{
	if (rc == -ERR_LIMIT)
		return err_set(err, ERR_UNSUPPORTED, "%s data wants more memory than it may have",
		               d->codec->name);
	return err_set(err, ERR_FORMAT, "the %s data is damaged", d->codec->name);
}

/* One step; a stream that ended is closed, what follows opens the next. */
static int step(struct decompressor *d, struct err *err)
{
	size_t in = d->io.in_n, out = d->io.out_n;
	int rc = 0;

	if (!d->open) {
		rc = d->codec->init(&d->state);
		d->open = rc == 0;
	}
	if (rc == 0)
		rc = d->codec->step(&d->state, &d->io);
	if (rc < 0)
		return damaged(d, rc, err);
	d->started |= d->io.in_n != in;
	if (rc == 1) {
		d->codec->fini(&d->state);
		d->open = d->started = false;
		d->any = true;
	} else if (d->io.eof && d->io.in_n == in && d->io.out_n == out) {
		return err_set(err, ERR_FORMAT, "the %s data is cut short", d->codec->name);
	}
	return 0;
}

int decompress_read(void *ctx, void *p, size_t n, size_t *got, struct err *err)
{
	struct decompressor *d = ctx;

	if (!d->codec->step)
		return d->src.read(d->src.ctx, p, n, got, err);
	d->io.out = p;
	d->io.out_n = n;
	while (d->io.out_n) {
		int rc = refill(d, err);

		if (rc < 0)
			return rc;
		if (!d->io.in_n && d->io.eof && !d->started && d->any)
			break;
		rc = step(d, err);
		if (rc < 0)
			return rc;
	}
	*got = n - d->io.out_n;
	return 0;
}
