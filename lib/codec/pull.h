/* SPDX-License-Identifier: MIT */
/*
 * A stream of uncompressed bytes, produced only as far as it is read: the loop of everything that
 * decompresses (downloads, kernels, initrds).
 */
#ifndef CODEC_PULL_H
#define CODEC_PULL_H

#include "base/stream.h"
#include "codec/codec.h"

struct pull {
	/* Set by the caller: */
	const struct codec *codec; /* before the first pull_step() */
	struct codec_memory memory;
	struct stream *src; /* compressed bytes; borrowed */
	uint8_t *in;        /* in_size bytes to work with, at least CODEC_HEAD_MAX; borrowed */
	size_t in_size;
	/* The caller sets io.out and io.out_n. The rest starts from zeros. */
	struct codec_io io;
	struct codec_state state;
	uint64_t fed; /* bytes that src gave */
	bool open;    /* state is initialized */
	bool started; /* some of the current stream was read */
	bool any;     /* a whole stream was read */
};

void pull_fini(struct pull *p);

/* Have some input, and the whole header of a stream where one begins, unless the input ends. */
int pull_fill(struct pull *p, struct err *err);
/* Whether the input ends where a stream would begin. */
bool pull_at_end(const struct pull *p);
/*
 * One step: 0, or 1 at the end of a stream; further input opens the next. -ERR_FORMAT: damaged or
 * truncated; -ERR_LIMIT: it needs too much memory. The texts name the codec.
 */
int pull_step(struct pull *p, struct err *err);
/* Bytes of the input used so far. */
uint64_t pull_used(const struct pull *p);

#endif
