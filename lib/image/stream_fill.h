/* SPDX-License-Identifier: MIT */
/*
 * Copies store paths that arrive as NARs to /nix/store. Each NAR is read once,
 * and its size on disk is not known in advance. The layout is that of
 * store_fill.h, so the image is the same bit for bit.
 *
 * The position of a path is known when all smaller ones have been counted. So
 * the threads take the paths in layout order, in units of some MiB:
 *
 *     a unit in memory      unpack, count, pass on where it ends, wait for its
 *                           position, write
 *     one large NAR         when its position is known, directly into the
 *                           image; until then the source unpacks ahead, within
 *                           its limit
 *     a NAR that unpacks    unpack into an unnamed file, count, pass on where
 *     slowly, or any but    it ends; write when its position is known
 *     the first with many
 *     cores
 *
 * In an existing file system nothing is written directly into the image: only
 * complete and verified paths are written.
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
	 * Start reading the NAR of item i; again: a second time, from another
	 * cache. The end of the NAR is reported only if all of it was valid.
	 * Returns 1 if there is no other cache. close() frees *out.
	 */
	int (*open)(const struct stream_source *src, size_t i, bool again, struct stream **out,
	            struct err *err);
	void (*close)(const struct stream_source *src, struct stream *nar);
	/*
	 * The data read from nar is not a valid NAR, see *err: add the name of
	 * the cache and the reason to *err. Returns -err->code.
	 */
	int (*refused)(const struct stream_source *src, size_t i, struct stream *nar,
	               struct err *err);
	/* Unpacking it takes longer than writing it to a file. */
	bool (*is_slow)(const struct stream_source *src, size_t i);
	/* The approximate order in which open() will be called. */
	void (*order)(const struct stream_source *src, const size_t *order, size_t n);
	/* An item is invalid, and will be read from another cache. */
	void (*warn)(const struct stream_source *src, const struct err *err);
	/* Cancel: all reads fail soon. */
	void (*cancel)(const struct stream_source *src);
};

struct stream_fill_options {
	unsigned threads;
	int spool;               /* an unnamed file, for NARs that do not fit in memory */
	uint64_t line_max;       /* blocks of the line that there are; 0: no limit */
	_Atomic uint64_t *paths; /* counts finished items; may be NULL */
	_Atomic uint64_t *bytes; /* grows by every byte of a NAR; may be NULL */
	int64_t mtime;           /* of /nix/store */
};

/*
 * On success fills in *plan, for store_plan_fini(). *next: the next free block
 * and inode. -ERR_SPACE: more than line_max. Else errors of the source.
 */
int stream_fill(struct ext4_writer *w, const struct stream_source *src,
                const struct stream_fill_options *opt, struct store_plan *plan,
                struct ext4_place *next, struct err *err);

#endif
