/* SPDX-License-Identifier: MIT */
/*
 * Writes walks into an ext4 file system.
 *
 *     ext4_writer    one file system; shared by all threads
 *     ext4_stream    the part of it that one thread writes
 *
 * A stream starts at a block of the line (the sequence of data blocks, see
 * ext4_layout.h) and at an inode number, and assigns both in the order of the
 * walk: a directory's blocks follow those of its contents. So its output is one
 * sequential write, in pieces of up to 4 MiB, and depends only on the walk. Streams for
 * different ranges may run in parallel. ext4_count.h computes the length of a range
 * in advance.
 *
 * In an existing file system the line is the sequence of free blocks, and inode
 * numbers are indexes into the list of free inodes: see ext4_space.h.
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
	const struct ext4_layout *layout; /* NULL until it is known */
	int spool;                        /* keeps inodes until then, by number */
	/* The free places of a file system that is there already, and the layout
	 * is that one's tables; NULL: a new one, all is free in order. */
	const struct ext4_space *space;
	unsigned streams;        /* number of parallel streams; 0: a few */
	_Atomic uint32_t *dirs;  /* directories, per group; owned */
	const atomic_bool *stop; /* set to cancel; may be NULL */
	_Atomic uint64_t *done;  /* counts bytes of contents; may be NULL */
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

/* A block of the line, and an inode's place. */
struct ext4_place {
	uint64_t line;
	uint32_t ino;
};

/* 3 to 5 MiB of buffers. The writer must outlive it. */
struct ext4_stream *ext4_stream_new(struct ext4_writer *w);
void ext4_stream_free(struct ext4_stream *s);
void ext4_stream_freep(struct ext4_stream **s);

/* Start a range. The previous one must be flushed. */
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

/* The current position: the next block of the line, the next inode. */
struct ext4_place ext4_stream_place(const struct ext4_stream *s);
uint64_t ext4_stream_line(const struct ext4_stream *s);
uint32_t ext4_stream_ino(const struct ext4_stream *s);

#endif
