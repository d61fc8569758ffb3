/* SPDX-License-Identifier: MIT */
/*
 * Writes walks into an ext4 file system.
 *
 *     ext4_writer    one file system; shared by all threads
 *     ext4_stream    one thread's stretch of it
 *
 * A stream takes a place in the line (see ext4_layout.h) and a first inode
 * number, and from there on assigns both in the order of the walk: a file's
 * blocks where the file comes, a directory's behind all that is in it. So its
 * output is one sequential run, in pieces of 4 MiB; the result depends on the
 * walk alone. Streams whose stretches do not overlap may run at once.
 * ext4_count.h tells beforehand how long a stretch will be.
 *
 * In a file system that is there already the line is what is free in it, and
 * inode numbers are places in the list of those free: see ext4_space.h.
 */
#ifndef EXT4_EXT4_WRITER_H
#define EXT4_EXT4_WRITER_H

#include <stdatomic.h>

#include "base/walk.h"
#include "ext4/ext4_disk.h"
#include "ext4/ext4_layout.h"
#include "ext4/target.h"

struct ext4_space;
struct nar_hash;

/* Fill in with ext4_writer_init(). What it points to is borrowed. */
struct ext4_writer {
	struct target *target;
	uint64_t base; /* byte offset of the file system in the target */
	const struct ext4_ids *ids;
	uint32_t gdt_area;                /* as in ext4_layout.h */
	const struct ext4_layout *layout; /* NULL until it is settled */
	int spool;                        /* where inodes wait for that, by number */
	/* The free places of a file system that is there already, and the layout
	 * is that one's tables; NULL: a new one, all is free in order. */
	const struct ext4_space *space;
	unsigned streams;        /* how many there will be at once; 0: a few */
	_Atomic uint32_t *dirs;  /* directories, per group; owned */
	const atomic_bool *stop; /* the user wants to end; may be NULL */
	_Atomic uint64_t *done;  /* grows by every byte of content; may be NULL */
};

void ext4_writer_init(struct ext4_writer *w, struct target *t, uint64_t base,
                      const struct ext4_ids *ids, const struct ext4_layout *lay);
void ext4_writer_fini(struct ext4_writer *w);

/*
 * The same for a file system whose size is not known yet. Inodes go to a file
 * of their own, which is borrowed, until ext4_writer_settle(), when all streams
 * are flushed and inodes is the highest number in use.
 */
void ext4_writer_init_open(struct ext4_writer *w, struct target *t, uint64_t base,
                           const struct ext4_ids *ids, uint32_t gdt_area, int spool);
int ext4_writer_settle(struct ext4_writer *w, const struct ext4_layout *lay, uint32_t inodes,
                       struct err *err);

struct ext4_stream;

/* 3 to 5 MiB of buffers. The writer must outlive it. */
struct ext4_stream *ext4_stream_new(struct ext4_writer *w);
void ext4_stream_free(struct ext4_stream *s);
void ext4_stream_freep(struct ext4_stream **s);

/* Begin a stretch. What was before it must be flushed. */
void ext4_stream_start(struct ext4_stream *s, uint64_t line, uint32_t ino);

/* An object in the file system, as its parent names it. */
struct ext4_object {
	uint32_t ino;
	enum ext4_ftype type;
};

/*
 * Write the whole tree of a walk. parent is the inode number of the directory
 * in which the caller will name it (the root directory is its own). hash, where
 * not NULL, gets the tree's NAR as well; the caller finishes it.
 * -ERR_INTERRUPTED where the user stopped it; errors of the walk and of I/O.
 */
int ext4_stream_tree(struct ext4_stream *s, struct walk *walk, uint32_t parent,
                     struct nar_hash *hash, struct ext4_object *out, struct err *err);

/* Write out what is buffered. */
int ext4_stream_flush(struct ext4_stream *s, struct err *err);

/* Where the stretch has come to: the next place in the line, the next inode. */
uint64_t ext4_stream_line(const struct ext4_stream *s);
uint32_t ext4_stream_ino(const struct ext4_stream *s);

#endif
