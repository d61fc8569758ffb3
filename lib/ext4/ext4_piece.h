/* SPDX-License-Identifier: MIT */
/*
 * The lower half of ext4_writer.h, for its upper half alone: pieces of the
 * line, and inodes.
 */
#ifndef EXT4_EXT4_PIECE_H
#define EXT4_EXT4_PIECE_H

#include "ext4/ext4_dir.h"
#include "ext4/ext4_writer.h"

/*
 * Bytes of a piece; smaller where many streams share the memory, and without O_DIRECT: Linux copies
 * it then, which is faster from a core's cache.
 */
#define PIECE_FEW (4u << 20)
#define PIECE_MANY (2u << 20)
#define PIECE_COPIED (512u << 10)
#define STREAMS_FEW 8u
#define WINDOW_INODES 4096u

/* An open directory. */
struct level {
	struct ext4_dir dir;
	uint32_t place, subdirs;
	struct walk_entry meta; /* its strings are not kept */
};

struct ext4_stream {
	struct ext4_writer *w;
	/* pieces: piece[0] stands at piece_line */
	uint8_t *piece;
	size_t piece_size, fill;
	uint64_t piece_line;
	/* inodes, by place: window[0] is the one at window_first */
	uint8_t *window;
	uint32_t window_first, window_n;
	uint32_t next_ino;
	/* of the current file */
	struct ext4_extent *extents;
	size_t n_extents, extents_cap;
	size_t depth;
	struct level levels[WALK_DEPTH_MAX];
};

/* The physical block of a place in the line, and how many follow on. */
uint64_t ext4_piece_line(const struct ext4_writer *w, uint64_t line, uint64_t *run);
/* The inode number of a place. */
uint32_t ext4_real_ino(const struct ext4_writer *w, uint32_t place);

/* Write out the piece. */
int ext4_piece_flush(struct ext4_stream *s, struct err *err);
/* Room for at least one block more; the piece always holds whole blocks. */
int ext4_piece_room(struct ext4_stream *s, struct err *err);
/* A block of the line for the caller to fill in, and its physical number. */
int ext4_piece_block(struct ext4_stream *s, uint8_t **block, uint64_t *phys, struct err *err);
/* The extents of the next blocks of the line, into s->extents. */
int ext4_piece_extents(struct ext4_stream *s, uint64_t blocks, struct err *err);
/*
 * The map of contents in s->extents, as the inode has it; the blocks that it
 * takes besides, *own, come next in the line. seed: the inode's.
 */
int ext4_piece_map(struct ext4_stream *s, uint32_t seed, uint64_t blocks, uint8_t map[60],
                   uint64_t *own, struct err *err);
/* A packed directory's blocks, and its map; *total: with the map's own. */
int ext4_piece_dir(struct ext4_stream *s, const struct ext4_dir *dir, uint64_t blocks,
                   uint8_t map[60], uint64_t *total, struct err *err);

int ext4_put_inode(struct ext4_stream *s, uint32_t place, uint32_t ino, const struct ext4_inode *in,
                   struct err *err);
/* Write out the inodes that are gathered. */
int ext4_flush_inodes(struct ext4_stream *s, struct err *err);

#endif
