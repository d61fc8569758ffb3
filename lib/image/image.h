/* SPDX-License-Identifier: MIT */
/*
 * A whole disk image with one file system: planned first, which touches
 * nothing, and then written, valid only when all of it is there.
 */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include "base/walk_tree.h"
#include "image/store_fill.h"
#include "image/stream_fill.h"

#define IMAGE_PART_START (1ull << 20) /* byte offset of the one partition */

/* Everything borrowed. */
struct image_request {
	const char *name;                   /* for messages */
	const struct store_source *source;  /* what goes under /nix/store; NULL: no store */
	const struct stream_source *stream; /* or what comes as NARs; sizes show late */
	const char *spool_dir;              /* with stream: for nameless files */
	struct tree *root;                  /* all the rest; image_plan() adds to it */
	uint8_t uuid[16];
	const char *label;
	int64_t time;     /* of what carries the time of making, over 0 */
	uint64_t size;    /* bytes of the whole image; 0: as needed */
	uint64_t spare;   /* bytes to leave free where size is 0 */
	bool partitioned; /* an MBR, one partition from IMAGE_PART_START on */
	uint32_t disk_id; /* in the MBR */
	unsigned threads;
	bool verify;
	bool wipe;                    /* of a target in place: clear what is not written */
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
 * Count and lay out. Room beyond need: where size is 0, spare. -ERR_SPACE
 * where a given size is too small, and the text says which would do. With a
 * stream the layout is made by image_write(), and -ERR_SPACE means that what
 * comes will surely not fit.
 */
int image_plan(const struct image_request *req, struct image_plan *out, struct err *err);
void image_plan_fini(struct image_plan *plan);

/* Whether the target can take the image. */
int image_check_target(const struct image_plan *plan, const struct target *target, struct err *err);

/* Take away what makes a device a disk or a file system, and sync it; before image_write(). */
int image_wipe(const struct image_plan *plan, struct target *target, struct err *err);

/*
 * Where what is written of a target ends, but for some tables: from there on a
 * target in place stays as it was, unless wipe is set. With a stream an estimate.
 */
uint64_t image_written_end(const struct image_plan *plan, const struct target *t);

/*
 * Write the image. Until this returns 0 nothing in the target can be mounted;
 * then all is synced. A file's size is set, a device has been wiped.
 */
int image_write(struct image_plan *plan, struct target *target, struct err *err);

/* Make a device that was written no disk again; what it held is lost since image_wipe(). */
int image_withdraw(const struct image_plan *plan, struct target *target, struct err *err);

#endif
