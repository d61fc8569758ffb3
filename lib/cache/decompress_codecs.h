/* SPDX-License-Identifier: MIT */
/* The compressions, for decompress.c only. */
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

/* The longest header that a codec needs whole when a stream begins: that of a zstd frame. */
#define CODEC_HEAD_MAX 18u

/* What one step may read and write; it advances the pointers. */
struct io {
	const uint8_t *in;
	size_t in_n;
	uint8_t *out;
	size_t out_n;
	bool eof; /* no more input follows */
};

struct state {
	union {
		z_stream gzip;
		bz_stream bzip2;
		lzma_stream xz;
		struct {
			ZSTD_DStream *stream; /* NULL until the frame's header was seen */
			bool skips;
			uint64_t skip; /* bytes left of a skippable frame */
		} zstd;
		LZ4F_dctx *lz4;
		BrotliDecoderState *br;
	};
	bool big; /* it has big_turn */
};

/* step: 0 more, 1 the end of the stream, or -ERR_* without a text. */
struct codec {
	const char *name, *suffix;
	const char *magic; /* the first bytes of a stream */
	size_t magic_n;    /* 0: no magic number */
	bool slow;
	int (*init)(struct state *s);
	int (*step)(struct state *s, struct io *io);
	void (*fini)(struct state *s);
};

extern const struct codec codecs[];
extern const size_t n_codecs;

/* The memory limit for which a step returns -ERR_LIMIT, as text. */
const char *codec_bound(const struct codec *c);

#endif
