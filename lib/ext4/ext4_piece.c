/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "ext4/ext4_inodes.h"
#include "ext4/ext4_piece.h"
#include "ext4/ext4_space.h"

#include <string.h>

struct ext4_stream *ext4_stream_new(struct ext4_writer *w)
{
	struct ext4_stream *s = xcalloc(1, sizeof *s);

	s->w = w;
	s->piece_size = w->target->direct_fd < 0   ? PIECE_COPIED
	                : w->streams > STREAMS_FEW ? PIECE_MANY
	                                           : PIECE_FEW;
	s->piece = xaligned(EXT4_BLOCK, s->piece_size);
	s->window = xmalloc((size_t)WINDOW_INODES * w->ids->inode_size);
	return s;
}

void ext4_stream_free(struct ext4_stream *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < WALK_DEPTH_MAX; i++)
		ext4_dir_fini(&s->levels[i].dir);
	free(s->extents);
	free(s->window);
	free(s->piece);
	free(s);
}

void ext4_stream_freep(struct ext4_stream **s)
{
	ext4_stream_free(*s);
}

void ext4_stream_start(struct ext4_stream *s, uint64_t line, uint32_t ino)
{
	s->piece_line = line;
	s->fill = 0;
	s->window_first = ino;
	s->window_n = 0;
	s->next_ino = ino;
	s->depth = 0;
}

struct ext4_place ext4_stream_place(const struct ext4_stream *s)
{
	return (struct ext4_place){.line = ext4_stream_line(s), .ino = ext4_stream_ino(s)};
}

uint64_t ext4_stream_line(const struct ext4_stream *s)
{
	return s->piece_line + s->fill / s->w->ids->block;
}

uint32_t ext4_stream_ino(const struct ext4_stream *s)
{
	return s->next_ino;
}

/* ---- pieces of the line ------------------------------------------------- */

uint64_t ext4_piece_line(const struct ext4_writer *w, uint64_t line, uint64_t *run)
{
	if (w->space)
		return ext4_space_block(w->space, line, run);
	return ext4_line_block(w->gdt_area, line, run);
}

/* A new file system has space for everything; an existing one may be full. */
static int check_room(const struct ext4_stream *s, uint64_t blocks, struct err *err)
{
	const struct ext4_space *sp = s->w->space;

	if (!sp || blocks <= sp->n_blocks - ext4_stream_line(s))
		return 0;
	return err_set(err, ERR_SPACE, "%s: full", s->w->target->name);
}

int ext4_piece_flush(struct ext4_stream *s, struct err *err)
{
	struct ext4_writer *w = s->w;
	const uint64_t bs = w->ids->block;
	size_t at = 0;

	if (w->stop && atomic_load_explicit(w->stop, memory_order_relaxed))
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	while (at < s->fill) {
		uint64_t run, phys;
		size_t n;
		int rc;

		phys = ext4_piece_line(w, s->piece_line, &run);
		n = (size_t)MIN(run * bs, (uint64_t)(s->fill - at));
		rc = target_write(w->target, s->piece + at, n, w->base + phys * bs, err);
		if (rc < 0)
			return rc;
		at += n;
		s->piece_line += n / bs;
	}
	s->fill = 0;
	return 0;
}

int ext4_piece_room(struct ext4_stream *s, struct err *err)
{
	return s->fill == s->piece_size ? ext4_piece_flush(s, err) : 0;
}

int ext4_piece_block(struct ext4_stream *s, uint8_t **block, uint64_t *phys, struct err *err)
{
	uint64_t run;
	int rc = check_room(s, 1, err);

	if (rc == 0)
		rc = ext4_piece_room(s, err);
	if (rc < 0)
		return rc;
	*phys = ext4_piece_line(s->w, ext4_stream_line(s), &run);
	*block = s->piece + s->fill;
	s->fill += s->w->ids->block;
	return 0;
}

/*
 * Where they go into a leaf they are cut into more than an inode could hold:
 * e2fsck offers to shorten a tree that is deeper than it needs to be.
 */
int ext4_piece_extents(struct ext4_stream *s, uint64_t blocks, struct err *err)
{
	uint64_t line = ext4_stream_line(s), done = 0, most = EXT4_EXTENT_LEN_MAX;
	int rc = check_room(s, blocks, err);

	if (rc < 0)
		return rc;
	if (s->w->ids->extents && ext4_map_blocks(s->w->ids, blocks))
		most = MIN(most, blocks / (EXT4_EXTENTS_INLINE + 1));
	s->n_extents = 0;
	while (done < blocks) {
		uint64_t run, phys = ext4_piece_line(s->w, line + done, &run);
		uint64_t n = MIN(MIN(run, blocks - done), most);

		GROW(s->extents, s->n_extents, s->extents_cap);
		s->extents[s->n_extents++] = (struct ext4_extent){
		        .logical = (uint32_t)done, .len = (uint16_t)n, .phys = phys};
		done += n;
	}
	return 0;
}

/* ---- inodes --------------------------------------------------------------- */

uint32_t ext4_real_ino(const struct ext4_writer *w, uint32_t place)
{
	uint32_t run;

	return w->space ? ext4_space_ino(w->space, place, &run) : place;
}

static int write_inodes(struct ext4_stream *s, uint32_t place, uint32_t n, const uint8_t *raw,
                        struct err *err)
{
	const struct ext4_writer *w = s->w;

	if (!w->space)
		return ext4_write_inodes(s->w, place, n, raw, err);
	while (n) {
		uint32_t run, ino = ext4_space_ino(w->space, place, &run);
		uint32_t left =
		        w->layout->inodes_per_group - (ino - 1) % w->layout->inodes_per_group;
		uint32_t m = MIN(MIN(left, n), run);
		size_t bytes = (size_t)m * w->ids->inode_size;
		int rc = ext4_space_write_inodes(w->space, place, raw, bytes,
		                                 ext4_inode_offset(w->layout, ino), err);

		if (rc < 0)
			return rc;
		raw += bytes;
		place += m;
		n -= m;
	}
	return 0;
}

int ext4_flush_inodes(struct ext4_stream *s, struct err *err)
{
	int rc = write_inodes(s, s->window_first, s->window_n, s->window, err);

	s->window_first += s->window_n;
	s->window_n = 0;
	return rc;
}

/*
 * Inodes come almost in order of place: only a directory comes late, when all
 * that is in it has come. If the window has gone on, it is written by itself.
 */
int ext4_put_inode(struct ext4_stream *s, uint32_t place, uint32_t ino, const struct ext4_inode *in,
                   struct err *err)
{
	const size_t size = s->w->ids->inode_size;
	uint8_t raw[EXT4_INODE_SIZE_MAX];
	uint32_t at;
	int rc;

	ext4_inode_format(s->w->ids, ino, in, raw);
	if (in->type == EXT4_FT_DIR && s->w->layout)
		atomic_fetch_add(&s->w->dirs[(ino - 1) / s->w->layout->inodes_per_group], 1);
	if (place < s->window_first)
		return write_inodes(s, place, 1, raw, err);
	if (place - s->window_first >= WINDOW_INODES) {
		rc = ext4_flush_inodes(s, err);
		if (rc < 0)
			return rc;
		s->window_first = place;
	}
	at = place - s->window_first;
	if (at >= s->window_n) {
		memset(s->window + s->window_n * size, 0, (at + 1 - s->window_n) * size);
		s->window_n = at + 1;
	}
	memcpy(s->window + at * size, raw, size);
	return 0;
}
