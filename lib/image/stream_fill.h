/* SPDX-License-Identifier: MIT */
/*
 * Puts store paths under /nix/store that come as NARs, once each, and whose
 * sizes on disk nobody knows beforehand. The layout is store_fill.h's, so the
 * image is the same bit for bit.
 *
 * Where a path goes is known when all smaller ones have been counted. So the
 * threads take them in the order of the layout, in units of some MiB:
 *
 *     a unit in memory      unpack, count, hand its end on, wait for its
 *                           beginning, write
 *     one large NAR         as soon as its beginning is known, straight into
 *                           the image; till then the source unpacks what it
 *                           may hold ahead
 *     one that is slow,     unpack into a nameless file, count, hand on; write
 *     or on many cores,     when its beginning is known
 *     not first in line
 *
 * In a file system that is there already nothing goes straight into the image:
 * what is written to it is whole and checked.
 */
#ifndef IMAGE_STREAM_FILL_H
#define IMAGE_STREAM_FILL_H

#include "image/store_fill.h"
#include "nix/nar.h"

/* Items in byte order of name. All borrowed; every function from any thread. */
struct stream_source {
	const struct store_item *items;
	size_t n;
	/*
	 * Begin to read the NAR of item i; again: another time, from somewhere
	 * else. Its end is reported only where all of it was right. 1: there is
	 * nowhere else to read it from. close() ends what open() began.
	 */
	int (*open)(const struct stream_source *src, size_t i, bool again, struct nar_source *out,
	            struct err *err);
	void (*close)(const struct stream_source *src, struct nar_source *nar);
	/*
	 * What was read from nar is no NAR, says *err: make it say whose, and
	 * what is wrong with all of it. Returns -err->code.
	 */
	int (*refused)(const struct stream_source *src, size_t i, struct nar_source *nar,
	               struct err *err);
	/* Unpacking it takes longer than writing it to a file. */
	bool (*is_slow)(const struct stream_source *src, size_t i);
	/* The order in which open() will be called, more or less. */
	void (*order)(const struct stream_source *src, const size_t *order, size_t n);
	/* Something is wrong with an item, which will be read from elsewhere. */
	void (*warn)(const struct stream_source *src, const struct err *err);
	/* Nothing more is wanted: whoever reads gets an error soon. */
	void (*cancel)(const struct stream_source *src);
};

struct stream_fill_options {
	unsigned threads;
	const char *spool_dir;   /* for nameless files */
	uint64_t line_max;       /* blocks of the line that there are; 0: no limit */
	_Atomic uint64_t *paths; /* counts finished items; may be NULL */
	_Atomic uint64_t *bytes; /* grows by every byte of a NAR; may be NULL */
};

/*
 * Fill in all of *plan on success; the caller finishes it. *line and *ino: where
 * to go on. -ERR_SPACE: over line_max. Else errors of the source.
 */
int stream_fill(struct ext4_writer *w, const struct stream_source *src,
                const struct stream_fill_options *opt, int64_t mtime, struct store_plan *plan,
                uint64_t *line, uint32_t *ino, struct err *err);

#endif
