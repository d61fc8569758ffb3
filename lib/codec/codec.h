/* SPDX-License-Identifier: MIT */
/*
 * Decoders of compressed data, each by its library, in steps: a step reads some input and writes
 * some output. pull.h makes a stream of them.
 */
#ifndef CODEC_CODEC_H
#define CODEC_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest header that a codec needs whole when a stream begins: that of a zstd frame. */
#define CODEC_HEAD_MAX 18u

/* What one step may read and write; it advances the pointers. */
struct codec_io {
	const uint8_t *in;
	size_t in_n;
	uint8_t *out;
	size_t out_n;
	bool eof; /* no more input follows */
};

/* The memory that one stream may use: xz -6 needs 9 MiB, xz -9 65, zstd -19 8. */
struct codec_memory {
	uint64_t usual, most; /* bytes, of xz and lzma */
	uint64_t window;      /* bytes, the largest of a zstd frame */
	/* Called before a stream uses more than usual, and after it; NULL: nothing to do. */
	void (*begin_big)(void);
	void (*end_big)(void);
};

struct codec_state {
	void *own; /* the codec's */
	const struct codec_memory *memory;
	bool big; /* begin_big() was called */
};

/* init, step: 0 more, 1 the end of the stream, or -ERR_* without a text (ERR_LIMIT: of memory). */
struct codec {
	const char *name;
	const char *magic; /* the first bytes of a stream */
	size_t magic_n;    /* 0: no magic number */
	int (*init)(struct codec_state *s);
	int (*step)(struct codec_state *s, struct codec_io *io);
	void (*fini)(struct codec_state *s);
};

extern const struct codec codec_br;
extern const struct codec codec_bzip2;
extern const struct codec codec_gzip;
extern const struct codec codec_lz4;  /* frames, not the kernel's older form */
extern const struct codec codec_lzma; /* xz's predecessor */
extern const struct codec codec_xz;   /* one stream */
extern const struct codec codec_xzs;  /* all streams of a file, and the padding between them */
extern const struct codec codec_zstd; /* one frame; skippable ones, too */

/* For codecs: before and after the use of more than usual. */
void codec_begin_big(struct codec_state *s);
void codec_end_big(struct codec_state *s);

#endif
