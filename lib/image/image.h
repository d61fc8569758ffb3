/* SPDX-License-Identifier: MIT */
/*
 * A disk image with one file system. It is planned first, which writes nothing,
 * and then written. It becomes valid only when everything is written.
 */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include "base/walk_tree.h"
#include "image/store_fill.h"
#include "image/stream_fill.h"

#define IMAGE_PART_START (1ull << 20) /* byte offset of the one partition */

#define IMAGE_SPOOLS 2

/* Everything borrowed. */
struct image_request {
	const char *name;                   /* for messages */
	const struct store_source *source;  /* the contents of /nix/store; NULL: no store */
	const struct stream_source *stream; /* or as NARs, whose sizes are not known in advance */
	int spool[IMAGE_SPOOLS];            /* with stream: unnamed files, to write and read */
	struct tree *root;                  /* everything else; image_plan() adds to it */
	uint8_t uuid[16];
	const char *label;
	int64_t time;     /* time stamp of the file system, above 0 */
	uint64_t size;    /* bytes of the whole image; 0: as needed */
	uint64_t spare;   /* bytes to leave free if size is 0 */
	bool partitioned; /* an MBR, one partition from IMAGE_PART_START on */
	uint32_t disk_id; /* in the MBR */
	unsigned threads;
	bool verify;
	bool wipe;                    /* clear blocks of an existing target that are not written */
	const atomic_bool *stop;      /* may be NULL */
	_Atomic uint64_t *done_bytes; /* of contents; may be NULL */
	_Atomic uint64_t *done_paths; /* may be NULL */
};

struct image_plan {
	const struct image_request *req;
	struct ext4_ids ids;
	struct store_plan store;
	struct ext4_tally root;
	struct ext4_layout layout;
	uint64_t base; /* byte offset of the file system */
	uint64_t size; /* bytes of the image; 0: not known before it is written */
};

/*
 * Count the trees and make the layout. If size is 0, spare bytes are left free.
 * -ERR_SPACE if a given size is too small; the text has the smallest possible
 * size. With a stream, image_write() makes the layout, and -ERR_SPACE means that
 * the NARs can certainly not fit.
 */
int image_plan(const struct image_request *req, struct image_plan *out, struct err *err);
void image_plan_fini(struct image_plan *plan);

/* Whether the target can take the image. */
int image_check_target(const struct image_plan *plan, const struct target *target, struct err *err);

/* Clear a device's partition table and superblocks, and sync; before image_write(). */
int image_wipe(const struct image_plan *plan, struct target *target, struct err *err);

/*
 * The end of the written part of a target, except for some tables. An existing
 * target is not changed after it, unless wipe is set. With a stream: an estimate.
 */
uint64_t image_written_end(const struct image_plan *plan, const struct target *t);

/*
 * Write the image. Until this returns 0 the target cannot be mounted; then
 * everything is synced. The file's size must be set, a device must be wiped. With a stream, whose
 * bytes are untrusted, use image_writer.h.
 */
int image_write(struct image_plan *plan, struct target *target, struct err *err);

/* Invalidate a device that was written. Its old data is lost since image_wipe(). */
int image_withdraw(const struct image_plan *plan, struct target *target, struct err *err);

#endif
