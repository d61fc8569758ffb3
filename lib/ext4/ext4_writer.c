/* SPDX-License-Identifier: MIT */
/*
 * The upper layers, lowest first: contents, directories, trees. Below them is
 * ext4_piece.c.
 */
#include "base/mem.h"
#include "ext4/ext4_piece.h"
#include "ext4/ext4_space.h"
#include "ext4/ext4_writer.h"
#include "nix/nar_hash.h"

#include <string.h>

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
		const size_t bs = s->w->ids->block;
		size_t got, pad;
		int rc = ext4_piece_room(s, err);

		if (rc == 0)
			rc = walk_read(walk, s->piece + s->fill, s->piece_size - s->fill, &got,
			               err);
		if (rc < 0)
			return rc;
		if (got == 0 || got > left || (got % bs && got != left))
			return err_set(err, ERR_MISMATCH, "contents end %llu bytes early",
			               (unsigned long long)left);
		if (hash)
			nar_hash_data(hash, s->piece + s->fill, got);
		left -= got;
		pad = (bs - got % bs) % bs;
		memset(s->piece + s->fill + got, 0, pad);
		s->fill += got + pad;
	}
	if (s->w->done)
		atomic_fetch_add_explicit(s->w->done, n, memory_order_relaxed);
	return 0;
}

/* Read the next n bytes only to hash them. The piece is empty. */
static int hash_bytes(struct ext4_stream *s, struct walk *walk, uint64_t n, struct nar_hash *hash,
                      struct err *err)
{
	while (n) {
		size_t got;
		int rc = walk_read(walk, s->piece, (size_t)MIN(n, (uint64_t)s->piece_size), &got,
		                   err);

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
	int rc = ext4_piece_flush(s, err);

	*shared = 0;
	while (rc == 0 && *shared < whole) {
		uint64_t run, phys = ext4_piece_line(w, s->piece_line, &run);
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

	if (fd >= 0 && s->w->ids->block == EXT4_BLOCK && target_wants_clone(s->w->target, size)) {
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

/* An inode's place, and the number by which directories refer to it. */
struct at {
	uint32_t place, ino;
};

static int put_file(struct ext4_stream *s, struct walk *walk, const struct walk_entry *ent,
                    const struct at *at, struct nar_hash *hash, struct err *err)
{
	const struct ext4_ids *ids = s->w->ids;
	struct ext4_inode in = inode_of(ent, EXT4_FT_FILE);
	uint64_t blocks = (ent->size + ids->block - 1) / ids->block, own;
	int rc = ext4_piece_extents(s, blocks, err);

	if (rc == 0)
		rc = put_contents(s, walk, ent->size, hash, err);
	if (rc == 0)
		rc = ext4_piece_map(s, ext4_inode_seed(ids, at->ino, 0), blocks, in.map, &own, err);
	if (rc < 0)
		return rc;
	in.size = ent->size;
	in.blocks = blocks + own;
	return ext4_put_inode(s, at->place, at->ino, &in, err);
}

static int put_link(struct ext4_stream *s, const struct walk_entry *ent, const struct at *at,
                    struct err *err)
{
	struct ext4_inode in = inode_of(ent, EXT4_FT_LINK);
	const uint32_t bs = s->w->ids->block;
	uint64_t phys, own;
	uint8_t *block;
	int rc;

	in.size = ent->target.n;
	in.target = ent->target;
	if (ent->target.n > EXT4_LINK_INLINE) {
		if (ent->target.n >= bs)
			return err_set(err, ERR_LIMIT,
			               "a symbolic link of %zu bytes is too long for blocks of %u",
			               ent->target.n, bs);
		rc = ext4_piece_extents(s, 1, err);
		if (rc == 0)
			rc = ext4_piece_block(s, &block, &phys, err);
		if (rc < 0)
			return rc;
		memcpy(block, ent->target.p, ent->target.n);
		memset(block + ent->target.n, 0, bs - ent->target.n);
		rc = ext4_piece_map(s, 0, 1, in.map, &own, err);
		if (rc < 0)
			return rc;
		in.blocks = 1;
	}
	return ext4_put_inode(s, at->place, at->ino, &in, err);
}

/* ---- directories ---------------------------------------------------------- */

static int open_dir(struct ext4_stream *s, const struct walk_entry *ent, const struct at *at,
                    uint32_t parent, struct err *err)
{
	struct level *lv;

	if (s->depth == WALK_DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "directories nested deeper than %d", WALK_DEPTH_MAX);
	lv = &s->levels[s->depth++];
	ext4_dir_reset(&lv->dir);
	lv->dir.ino = at->ino;
	lv->dir.parent = parent;
	lv->place = at->place;
	lv->subdirs = 0;
	lv->meta = *ent;
	return 0;
}

int ext4_piece_dir(struct ext4_stream *s, const struct ext4_dir *dir, uint64_t blocks,
                   uint8_t map[60], uint64_t *total, struct err *err)
{
	const struct ext4_ids *ids = s->w->ids;
	uint64_t own = 0;
	int rc = ext4_piece_extents(s, blocks, err);

	for (uint64_t i = 0; i < blocks && rc == 0; i++) {
		uint64_t phys;
		uint8_t *block;

		rc = ext4_piece_block(s, &block, &phys, err);
		if (rc == 0)
			ext4_dir_block(dir, ids, i, block);
	}
	if (rc == 0)
		rc = ext4_piece_map(s, ext4_inode_seed(ids, dir->ino, dir->generation), blocks, map,
		                    &own, err);
	*total = blocks + own;
	return rc;
}

static int close_dir(struct ext4_stream *s, struct err *err)
{
	struct level *lv = &s->levels[--s->depth];
	struct ext4_inode in = inode_of(&lv->meta, EXT4_FT_DIR);
	uint64_t blocks;
	int rc = ext4_dir_pack(&lv->dir, s->w->ids, &blocks, err);

	if (rc == 0 && s->w->ids->extents && ext4_map_blocks(s->w->ids, blocks))
		rc = err_set(err, ERR_LIMIT, "a directory of %zu entries is too large", lv->dir.n);
	if (rc == 0)
		rc = ext4_piece_dir(s, &lv->dir, blocks, in.map, &in.blocks, err);
	if (rc < 0)
		return rc;
	in.size = blocks * s->w->ids->block;
	in.indexed = blocks > 1 && s->w->ids->index;
	/* dir_nlink: 1 means "too many to count". */
	in.links = lv->subdirs + 2 > 65000 ? 1 : lv->subdirs + 2;
	return ext4_put_inode(s, lv->place, lv->dir.ino, &in, err);
}

/* ---- trees ---------------------------------------------------------------- */

static enum ext4_ftype type_of(enum walk_kind kind)
{
	return kind == WALK_FILE ? EXT4_FT_FILE : kind == WALK_LINK ? EXT4_FT_LINK : EXT4_FT_DIR;
}

/* A tree that is being written. */
struct planting {
	struct walk *walk;
	uint32_t parent;       /* the directory above it */
	struct nar_hash *hash; /* may be NULL */
};

static int put_entry(struct ext4_stream *s, const struct planting *p, const struct walk_entry *ent,
                     struct ext4_object *obj, struct err *err)
{
	struct level *up = s->depth ? &s->levels[s->depth - 1] : NULL;
	struct at at = {.place = ent->handle ? ent->handle : s->next_ino};

	if (!ent->handle && s->w->space && at.place >= s->w->space->n_inodes)
		return err_set(err, ERR_SPACE, "%s: no inodes left", s->w->target->name);
	obj->type = type_of(ent->kind == WALK_GRAFT ? ent->graft : ent->kind);
	obj->ino = ent->handle ? ent->handle : ext4_real_ino(s->w, s->next_ino++);
	at.ino = obj->ino;
	if (up) {
		ext4_dir_add(&up->dir, ent->name, obj->ino, obj->type);
		up->subdirs += obj->type == EXT4_FT_DIR;
	}
	switch (ent->kind) {
	case WALK_FILE:
		return put_file(s, p->walk, ent, &at, p->hash, err);
	case WALK_LINK:
		return put_link(s, ent, &at, err);
	case WALK_DIR:
		return open_dir(s, ent, &at, up ? up->dir.ino : p->parent, err);
	default:
		return 0;
	}
}

int ext4_stream_tree(struct ext4_stream *s, struct walk *walk, uint32_t parent,
                     struct nar_hash *hash, struct ext4_object *out, struct err *err)
{
	const struct planting p = {.walk = walk, .parent = parent, .hash = hash};
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
			rc = put_entry(s, &p, &ent, &obj, err);
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
	int rc = ext4_piece_flush(s, err);

	return rc < 0 ? rc : ext4_flush_inodes(s, err);
}
