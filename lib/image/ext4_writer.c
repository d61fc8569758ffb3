/* SPDX-License-Identifier: MIT */
/*
 * The layers, lowest first: pieces of the line, inodes, contents, directories,
 * trees.
 */
#include "image/ext4_writer.h"
#include "base/mem.h"
#include "image/ext4_dir.h"
#include "image/ext4_inodes.h"
#include "nix/nar_hash.h"

#include <string.h>

#define PIECE (4u << 20)
#define WINDOW_INODES 4096u

/* An open directory. */
struct level {
	struct ext4_dir dir;
	uint32_t ino, parent;
	uint32_t subdirs;
	struct walk_entry meta; /* its strings are not kept */
};

struct ext4_stream {
	struct ext4_writer *w;
	/* pieces: piece[0] stands at piece_line */
	uint8_t *piece;
	size_t fill;
	uint64_t piece_line;
	/* inodes: window[0] is inode window_first */
	uint8_t *window;
	uint32_t window_first, window_n;
	uint32_t next_ino;
	/* of the current file */
	struct ext4_extent *extents;
	size_t n_extents, extents_cap;
	size_t depth;
	struct level levels[WALK_DEPTH_MAX];
};

struct ext4_stream *ext4_stream_new(struct ext4_writer *w)
{
	struct ext4_stream *s = xcalloc(1, sizeof *s);

	s->w = w;
	s->piece = xaligned(EXT4_BLOCK, PIECE);
	s->window = xmalloc(WINDOW_INODES * EXT4_INODE_SIZE);
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

uint64_t ext4_stream_line(const struct ext4_stream *s)
{
	return s->piece_line + s->fill / EXT4_BLOCK;
}

uint32_t ext4_stream_ino(const struct ext4_stream *s)
{
	return s->next_ino;
}

/* ---- pieces of the line ------------------------------------------------- */

static int flush_piece(struct ext4_stream *s, struct err *err)
{
	struct ext4_writer *w = s->w;
	size_t at = 0;

	if (w->stop && atomic_load_explicit(w->stop, memory_order_relaxed))
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	while (at < s->fill) {
		uint64_t run, phys;
		size_t n;
		int rc;

		phys = ext4_line_block(w->gdt_area, s->piece_line, &run);
		n = (size_t)MIN(run * EXT4_BLOCK, (uint64_t)(s->fill - at));
		rc = target_write(w->target, s->piece + at, n, w->base + phys * EXT4_BLOCK, err);
		if (rc < 0)
			return rc;
		at += n;
		s->piece_line += n / EXT4_BLOCK;
	}
	s->fill = 0;
	return 0;
}

/* Room for at least one block more; the piece always holds whole blocks. */
static int make_room(struct ext4_stream *s, struct err *err)
{
	return s->fill == PIECE ? flush_piece(s, err) : 0;
}

/* A block of the line for the caller to fill in, and its physical number. */
static int take_block(struct ext4_stream *s, uint8_t **block, uint64_t *phys, struct err *err)
{
	uint64_t run;
	int rc = make_room(s, err);

	if (rc < 0)
		return rc;
	*phys = ext4_line_block(s->w->gdt_area, ext4_stream_line(s), &run);
	*block = s->piece + s->fill;
	s->fill += EXT4_BLOCK;
	return 0;
}

/*
 * The extents of the next blocks of the line. Where they go into a leaf they
 * are cut into more than an inode could hold: e2fsck offers to shorten a tree
 * that is deeper than it needs to be.
 */
static void list_extents(struct ext4_stream *s, uint64_t blocks)
{
	uint64_t line = ext4_stream_line(s), done = 0, most = EXT4_EXTENT_LEN_MAX;

	if (ext4_extent_leaves(blocks))
		most = MIN(most, blocks / (EXT4_EXTENTS_INLINE + 1));
	s->n_extents = 0;
	while (done < blocks) {
		uint64_t run, phys = ext4_line_block(s->w->gdt_area, line + done, &run);
		uint64_t n = MIN(MIN(run, blocks - done), most);

		GROW(s->extents, s->n_extents, s->extents_cap);
		s->extents[s->n_extents++] = (struct ext4_extent){
			.logical = (uint32_t)done, .len = (uint16_t)n, .phys = phys};
		done += n;
	}
}

/* ---- inodes --------------------------------------------------------------- */

static int flush_window(struct ext4_stream *s, struct err *err)
{
	int rc = ext4_write_inodes(s->w, s->window_first, s->window_n, s->window, err);

	s->window_first += s->window_n;
	s->window_n = 0;
	return rc;
}

/*
 * Inodes come almost in order of number: only a directory comes late, when all
 * that is in it has come. If the window has gone on, it is written by itself.
 */
static int put_inode(struct ext4_stream *s, uint32_t ino, const struct ext4_inode *in,
		     struct err *err)
{
	uint8_t raw[EXT4_INODE_SIZE];
	uint32_t at;
	int rc;

	ext4_inode_format(s->w->ids, ino, in, raw);
	if (in->type == EXT4_FT_DIR && s->w->layout)
		atomic_fetch_add(&s->w->dirs[(ino - 1) / s->w->layout->inodes_per_group], 1);
	if (ino < s->window_first)
		return ext4_write_inodes(s->w, ino, 1, raw, err);
	if (ino - s->window_first >= WINDOW_INODES) {
		rc = flush_window(s, err);
		if (rc < 0)
			return rc;
		s->window_first = ino;
	}
	at = ino - s->window_first;
	if (at >= s->window_n) {
		memset(s->window + (size_t)s->window_n * EXT4_INODE_SIZE, 0,
		       (size_t)(at + 1 - s->window_n) * EXT4_INODE_SIZE);
		s->window_n = at + 1;
	}
	memcpy(s->window + (size_t)at * EXT4_INODE_SIZE, raw, sizeof raw);
	return 0;
}

/* ---- contents ------------------------------------------------------------- */

static struct ext4_inode inode_of(const struct walk_entry *ent, enum ext4_ftype type)
{
	return (struct ext4_inode){
		.type = type,
		.mode = ent->mode,
		.uid = ent->uid,
		.gid = ent->gid,
		.mtime = ent->mtime,
		.links = 1,
	};
}

/* Copy the next n bytes of the walk's file through the piece; zero the rest of
 * the last block. */
static int copy_bytes(struct ext4_stream *s, struct walk *walk, uint64_t n, struct nar_hash *hash,
		      struct err *err)
{
	uint64_t left = n;

	while (left) {
		size_t got, pad;
		int rc = make_room(s, err);

		if (rc == 0)
			rc = walk_read(walk, s->piece + s->fill, PIECE - s->fill, &got, err);
		if (rc < 0)
			return rc;
		if (got == 0 || got > left || (got % EXT4_BLOCK && got != left))
			return err_set(err, ERR_MISMATCH, "contents end %llu bytes early",
				       (unsigned long long)left);
		if (hash)
			nar_hash_data(hash, s->piece + s->fill, got);
		left -= got;
		pad = (EXT4_BLOCK - got % EXT4_BLOCK) % EXT4_BLOCK;
		memset(s->piece + s->fill + got, 0, pad);
		s->fill += got + pad;
	}
	if (s->w->done)
		atomic_fetch_add_explicit(s->w->done, n, memory_order_relaxed);
	return 0;
}

/* Read the next n bytes for the hash's sake alone. The piece is empty. */
static int hash_bytes(struct ext4_stream *s, struct walk *walk, uint64_t n, struct nar_hash *hash,
		      struct err *err)
{
	while (n) {
		size_t got;
		int rc = walk_read(walk, s->piece, (size_t)MIN(n, (uint64_t)PIECE), &got, err);

		if (rc < 0)
			return rc;
		if (got == 0)
			return err_set(err, ERR_MISMATCH, "contents end %llu bytes early",
				       (unsigned long long)n);
		nar_hash_data(hash, s->piece, got);
		n -= got;
	}
	return 0;
}

/*
 * Share the whole blocks of the walk's file with its source, as far as the host
 * agrees. *shared says how many bytes the image has now; the piece is empty and
 * stands behind them. The walk has not been read yet.
 */
static int clone_blocks(struct ext4_stream *s, int src, uint64_t size, uint64_t *shared,
			struct err *err)
{
	struct ext4_writer *w = s->w;
	uint64_t whole = size / EXT4_BLOCK * EXT4_BLOCK;
	int rc = flush_piece(s, err);

	*shared = 0;
	while (rc == 0 && *shared < whole) {
		uint64_t run, phys = ext4_line_block(w->gdt_area, s->piece_line, &run);
		uint64_t n = MIN(run * EXT4_BLOCK, whole - *shared);

		rc = target_clone(w->target, src, *shared, n, w->base + phys * EXT4_BLOCK, err);
		if (rc == 0) {
			*shared += n;
			s->piece_line += n / EXT4_BLOCK;
		}
	}
	return rc < 0 ? rc : 0;
}

static int put_contents(struct ext4_stream *s, struct walk *walk, uint64_t size,
			struct nar_hash *hash, struct err *err)
{
	int fd = walk_fd(walk), rc;
	uint64_t shared = 0;

	if (fd >= 0 && target_wants_clone(s->w->target, size)) {
		rc = clone_blocks(s, fd, size, &shared, err);
		if (rc == 0 && hash)
			rc = hash_bytes(s, walk, shared, hash, err);
		else if (rc == 0)
			rc = walk_skip(walk, shared, err);
		if (rc < 0)
			return rc;
		if (shared && s->w->done)
			atomic_fetch_add_explicit(s->w->done, shared, memory_order_relaxed);
	}
	return copy_bytes(s, walk, size - shared, hash, err);
}

/* The leaf blocks of a large file's extent tree, evenly filled. */
static int put_leaves(struct ext4_stream *s, uint32_t ino, size_t n, struct ext4_extent *leaves,
		      struct err *err)
{
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		size_t to = s->n_extents * (i + 1) / n;
		uint8_t *block;
		int rc;

		leaves[i].logical = s->extents[from].logical;
		rc = take_block(s, &block, &leaves[i].phys, err);
		if (rc < 0)
			return rc;
		ext4_extent_leaf(s->w->ids, ino, s->extents + from, to - from, block);
		from = to;
	}
	return 0;
}

static int put_file(struct ext4_stream *s, struct walk *walk, const struct walk_entry *ent,
		    uint32_t ino, struct nar_hash *hash, struct err *err)
{
	struct ext4_inode in = inode_of(ent, EXT4_FT_FILE);
	uint64_t blocks = (ent->size + EXT4_BLOCK - 1) / EXT4_BLOCK;
	size_t n_leaves = ext4_extent_leaves(blocks);
	struct ext4_extent leaves[EXT4_EXTENTS_INLINE];
	int rc;

	if (n_leaves > EXT4_EXTENTS_INLINE)
		return err_set(err, ERR_LIMIT, "a file of %llu bytes is too large",
			       (unsigned long long)ent->size);
	list_extents(s, blocks);
	rc = put_contents(s, walk, ent->size, hash, err);
	if (rc == 0)
		rc = put_leaves(s, ino, n_leaves, leaves, err);
	if (rc < 0)
		return rc;
	in.size = ent->size;
	in.blocks = blocks + n_leaves;
	in.extents = s->extents;
	in.n_extents = s->n_extents;
	in.leaves = leaves;
	in.n_leaves = n_leaves;
	return put_inode(s, ino, &in, err);
}

static int put_link(struct ext4_stream *s, const struct walk_entry *ent, uint32_t ino,
		    struct err *err)
{
	struct ext4_inode in = inode_of(ent, EXT4_FT_LINK);
	struct ext4_extent ext = {.len = 1};
	uint8_t *block;
	int rc;

	in.size = ent->target.n;
	in.target = ent->target;
	if (ent->target.n > EXT4_LINK_INLINE) {
		rc = take_block(s, &block, &ext.phys, err);
		if (rc < 0)
			return rc;
		memcpy(block, ent->target.p, ent->target.n);
		memset(block + ent->target.n, 0, EXT4_BLOCK - ent->target.n);
		in.blocks = 1;
		in.extents = &ext;
		in.n_extents = 1;
	}
	return put_inode(s, ino, &in, err);
}

/* ---- directories ---------------------------------------------------------- */

static int open_dir(struct ext4_stream *s, const struct walk_entry *ent, uint32_t ino,
		    uint32_t parent, struct err *err)
{
	struct level *lv;

	if (s->depth == WALK_DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "directories nested deeper than %d", WALK_DEPTH_MAX);
	lv = &s->levels[s->depth++];
	ext4_dir_reset(&lv->dir);
	lv->ino = ino;
	lv->parent = parent;
	lv->subdirs = 0;
	lv->meta = *ent;
	return 0;
}

static int close_dir(struct ext4_stream *s, struct err *err)
{
	struct level *lv = &s->levels[--s->depth];
	struct ext4_inode in = inode_of(&lv->meta, EXT4_FT_DIR);
	uint64_t blocks;
	int rc = ext4_dir_pack(&lv->dir, s->w->ids, &blocks, err);

	if (rc == 0 && ext4_extent_leaves(blocks))
		rc = err_set(err, ERR_LIMIT, "a directory of %zu entries is too large", lv->dir.n);
	if (rc < 0)
		return rc;
	list_extents(s, blocks);
	for (uint64_t i = 0; i < blocks; i++) {
		uint64_t phys;
		uint8_t *block;

		rc = take_block(s, &block, &phys, err);
		if (rc < 0)
			return rc;
		ext4_dir_block(&lv->dir, s->w->ids, lv->ino, lv->parent, i, block);
	}
	in.size = blocks * EXT4_BLOCK;
	in.blocks = blocks;
	in.indexed = blocks > 1;
	/* dir_nlink: 1 means "too many to count". */
	in.links = lv->subdirs + 2 > 65000 ? 1 : lv->subdirs + 2;
	in.extents = s->extents;
	in.n_extents = s->n_extents;
	return put_inode(s, lv->ino, &in, err);
}

/* ---- trees ---------------------------------------------------------------- */

static enum ext4_ftype type_of(enum walk_kind kind)
{
	return kind == WALK_FILE ? EXT4_FT_FILE : kind == WALK_LINK ? EXT4_FT_LINK : EXT4_FT_DIR;
}

static int put_entry(struct ext4_stream *s, struct walk *walk, const struct walk_entry *ent,
		     uint32_t parent, struct nar_hash *hash, struct ext4_object *obj,
		     struct err *err)
{
	struct level *up = s->depth ? &s->levels[s->depth - 1] : NULL;

	obj->type = type_of(ent->kind == WALK_GRAFT ? ent->graft : ent->kind);
	obj->ino = ent->handle ? ent->handle : s->next_ino++;
	if (up) {
		ext4_dir_add(&up->dir, ent->name, obj->ino, obj->type);
		up->subdirs += obj->type == EXT4_FT_DIR;
	}
	switch (ent->kind) {
	case WALK_FILE:
		return put_file(s, walk, ent, obj->ino, hash, err);
	case WALK_LINK:
		return put_link(s, ent, obj->ino, err);
	case WALK_DIR:
		return open_dir(s, ent, obj->ino, up ? up->ino : parent, err);
	default:
		return 0;
	}
}

int ext4_stream_tree(struct ext4_stream *s, struct walk *walk, uint32_t parent,
		     struct nar_hash *hash, struct ext4_object *out, struct err *err)
{
	bool first = true;
	int rc;

	do {
		struct walk_entry ent;
		struct ext4_object obj;

		rc = walk_next(walk, &ent, err);
		if (rc)
			break;
		if (hash && (rc = nar_hash_entry(hash, &ent, err)) < 0)
			return rc;
		if (ent.kind == WALK_UP)
			rc = close_dir(s, err);
		else
			rc = put_entry(s, walk, &ent, parent, hash, &obj, err);
		if (rc < 0)
			return rc;
		if (first)
			*out = obj;
		first = false;
	} while (s->depth);
	return rc < 0 ? rc : 0;
}

int ext4_stream_flush(struct ext4_stream *s, struct err *err)
{
	int rc = flush_piece(s, err);

	return rc < 0 ? rc : flush_window(s, err);
}
