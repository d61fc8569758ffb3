/* SPDX-License-Identifier: MIT */
/*
 * A directory tree as a stream of entries. NARs, host directories, guests'
 * file systems and trees built in memory all produce it; the ext4 writer, the
 * NAR hasher and the lister consume it.
 *
 *     tree = FILE | LINK | DIR tree* UP
 *
 * The first entry is the tree's root, with an empty name. The entries of a
 * directory come in strict byte order of name. After a FILE the consumer may
 * call walk_read() until it has returned all ent.size bytes; the next walk_next()
 * skips the rest.
 */
#ifndef BASE_WALK_H
#define BASE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Nix's limits; every producer respects them. */
#define WALK_NAME_MAX 255
#define WALK_TARGET_MAX 4095
#define WALK_DEPTH_MAX 64

enum walk_kind {
	WALK_FILE,
	WALK_LINK,
	WALK_DIR,
	WALK_UP,    /* the end of the innermost open directory */
	WALK_GRAFT, /* refers to a tree that the consumer already has */
};

/* name and target are borrowed: valid until the next call on the walk. */
struct walk_entry {
	enum walk_kind kind;
	struct str name;
	struct str target; /* WALK_LINK */
	uint64_t size;     /* WALK_FILE: bytes */
	uint32_t mode;     /* permission bits, 07777 */
	uint32_t uid, gid;
	int64_t mtime; /* seconds since 1970 */
	/*
	 * The number by which the consumer knows the object: the tree that a
	 * WALK_GRAFT refers to, or the number that a WALK_DIR must get; 0: none.
	 */
	uint32_t handle;
	enum walk_kind graft; /* WALK_GRAFT: what kind of tree it is */
};

struct walk;

struct walk_ops {
	int (*next)(struct walk *w, struct walk_entry *ent, struct err *err);
	int (*read)(struct walk *w, void *p, size_t n, size_t *got, struct err *err);
	/* Both NULL if the data has no descriptor. */
	int (*fd)(struct walk *w);
	int (*skip)(struct walk *w, uint64_t n, struct err *err);
	void (*free)(struct walk *w);
};

/* The first member of every kind of walk. */
struct walk {
	const struct walk_ops *ops;
};

/* 0 and *ent, 1 after the last entry, or -ERR_*. */
int walk_next(struct walk *w, struct walk_entry *ent, struct err *err);
/*
 * Up to n bytes of the current file, in order; fewer only at its end. A file
 * that turns out shorter or longer than ent.size is -ERR_MISMATCH.
 */
int walk_read(struct walk *w, void *p, size_t n, size_t *got, struct err *err);
/* A descriptor of the current file, borrowed until the next entry; or -1. */
int walk_fd(struct walk *w);
/* Skip n bytes of the current file, which has a descriptor. */
int walk_skip(struct walk *w, uint64_t n, struct err *err);
void walk_free(struct walk *w);
void walk_freep(struct walk **w);

/* A valid name in a directory: 1..255 bytes, no '/' or NUL, not "." or "..". */
bool walk_name_valid(struct str name);

#endif
