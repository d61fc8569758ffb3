/* SPDX-License-Identifier: MIT */
/* What each compression does, for decompress.c; nobody else includes it. */
#ifndef CACHE_DECOMPRESS_CODECS_H
#define CACHE_DECOMPRESS_CODECS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <brotli/decode.h>
#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

/* The longest header that must be whole when a stream begins: a zstd frame's. */
#define CODEC_HEAD_MAX 18u

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
		struct {
			ZSTD_DStream *stream; /* NULL until the frame's header was seen */
			bool skips;
			uint64_t skip; /* bytes of a skippable frame that are left */
		} zstd;
		LZ4F_dctx *lz4;
		BrotliDecoderState *br;
	};
	bool big; /* it has big_turn */
};

/* step: 0 more, 1 the end of the stream, <0 as -ERR_*, without a text. */
struct codec {
	const char *name, *suffix;
	const char *magic; /* what a stream begins with */
	size_t magic_n;    /* 0: nothing certain */
	bool slow;
	int (*init)(struct state *s);
	int (*step)(struct state *s, struct io *io);
	void (*fini)(struct state *s);
};

extern const struct codec codecs[];
extern const size_t n_codecs;

/* Why a step returned -ERR_LIMIT, or NULL: no such bound. */
const char *codec_bound(const struct codec *c);

#endif
