/* SPDX-License-Identifier: MIT */
/*
 * Copies store paths to /nix/store in the image, on several threads. First the
 * tree of every path is counted, which gives its position in the file system;
 * then the paths are copied independently, and their NAR hashes are checked.
 */
#ifndef IMAGE_STORE_FILL_H
#define IMAGE_STORE_FILL_H

#include "ext4/ext4_count.h"
#include "ext4/ext4_writer.h"

/* Fixed inode numbers, so that trees can be written before their parents. */
#define NIX_INO EXT4_FIRST_INO
#define STORE_INO (EXT4_FIRST_INO + 1)
#define ITEMS_INO (EXT4_FIRST_INO + 2)

/* One store path. */
struct store_item {
	const char *name; /* its name under /nix/store */
	uint64_t nar_size;
	uint8_t nar_hash[32];
};

/* Where the trees come from; items in byte order of name. All borrowed. */
struct store_source {
	const struct store_item *items;
	size_t n;
	/* A new walk over item i; stat_only as WALK_DIR_STAT. Any thread. */
	struct walk *(*open)(const struct store_source *src, size_t i, bool stat_only);
};

struct store_place {
	uint64_t line;
	uint64_t ino;
	struct ext4_object object; /* once written */
};

struct store_batch {
	size_t first, n; /* in order[] */
};

/*
 * The plan: the items, sorted by NAR size (smallest first), are placed one after
 * the other, and divided into batches of at least one piece for the threads.
 */
struct store_plan {
	size_t *order;             /* item numbers, as laid out */
	struct store_place *place; /* by position in order, one more for the end */
	struct store_batch *batches;
	size_t n_batches;
	struct ext4_tally total;
};

/* stop: as ext4_writer's; may be NULL. */
int store_plan_make(const struct store_source *src, const struct ext4_ids *ids, unsigned threads,
                    const atomic_bool *stop, struct store_plan *out, struct err *err);
void store_plan_fini(struct store_plan *plan);

struct store_fill_options {
	unsigned threads;
	bool verify;             /* compare with the items' hashes and sizes */
	_Atomic uint64_t *paths; /* counts finished items; may be NULL */
	int64_t mtime;           /* of /nix/store */
};

/*
 * Copy everything, followed by the directory /nix/store (mode 1775, group 30000).
 * *next: the next free block and inode.
 * -ERR_MISMATCH: a path differs from the database, or changed meanwhile.
 */
int store_fill(struct ext4_writer *w, const struct store_source *src, struct store_plan *plan,
               const struct store_fill_options *opt, struct ext4_place *next, struct err *err);

/* -ERR_MISMATCH if an item's NAR has another size, or another hash (NULL: not compared). */
int store_item_check(const struct store_item *it, uint64_t size, const uint8_t *hash,
                     struct err *err);

/* The order in which items are laid out: their numbers. The caller frees it. */
size_t *store_order(const struct store_item *items, size_t n);

/* Write only the directory, when all positions in the plan are known. */
int store_put_dir(struct ext4_writer *w, const struct store_source *src,
                  const struct store_plan *plan, int64_t mtime, struct ext4_place *next,
                  struct err *err);

/* The number of blocks of the directory /nix/store. */
int store_dir_blocks(const struct store_source *src, const struct ext4_ids *ids, uint64_t *blocks,
                     struct err *err);

#endif
