/* SPDX-License-Identifier: MIT */
#include "nix/nar_writer.h"
#include "base/bytes.h"

#include <string.h>

/* Larger pieces of contents go to put() directly. */
#define DIRECT 2048

/*
 * Every run of tokens that is always the same is one constant. T(n, text, pad)
 * is a str: n as eight little-endian digits (octal), the text, its padding.
 */
#define T(n, text, pad) n "\0\0\0\0\0\0\0" text pad
#define T_OPEN T("\1", "(", "\0\0\0\0\0\0\0")
#define T_CLOSE T("\1", ")", "\0\0\0\0\0\0\0")
#define T_MAGIC T("\15", "nix-archive-1", "\0\0\0")
#define T_TYPE T("\4", "type", "\0\0\0\0")
#define T_REGULAR T("\7", "regular", "\0")
#define T_EXEC T("\12", "executable", "\0\0\0\0\0\0")
#define T_EMPTY T("\0", "", "")
#define T_CONTENTS T("\10", "contents", "")
#define T_SYMLINK T("\7", "symlink", "\0")
#define T_TARGET T("\6", "target", "\0\0")
#define T_DIRECTORY T("\11", "directory", "\0\0\0\0\0\0\0")
#define T_ENTRY T("\5", "entry", "\0\0\0")
#define T_NAME T("\4", "name", "\0\0\0\0")
#define T_NODE T("\4", "node", "\0\0\0\0")

/* sizeof less the literal's own NUL. */
#define PUT(w, lit) put_bytes((w), (lit), sizeof(lit) - 1)

static void flush(struct nar_writer *w)
{
	if (w->n)
		w->put(w->ctx, w->buf, w->n);
	w->n = 0;
}

static void put_bytes(struct nar_writer *w, const void *p, size_t n)
{
	if (n > sizeof w->buf - w->n)
		flush(w);
	if (n > DIRECT) {
		flush(w);
		w->put(w->ctx, p, n);
		return;
	}
	memcpy(w->buf + w->n, p, n);
	w->n += n;
}

static void put_u64(struct nar_writer *w, uint64_t v)
{
	uint8_t raw[8];

	put_le64(raw, v);
	put_bytes(w, raw, sizeof raw);
}

static void put_padding(struct nar_writer *w, size_t n)
{
	static const uint8_t zeros[8];

	put_bytes(w, zeros, -n & 7);
}

static void put_str(struct nar_writer *w, struct str s)
{
	put_u64(w, s.n);
	put_bytes(w, s.p, s.n);
	put_padding(w, s.n);
}

void nar_writer_init(struct nar_writer *w, void (*put)(void *ctx, const void *p, size_t n),
                     void *ctx)
{
	w->put = put;
	w->ctx = ctx;
	w->left = w->extra = 0;
	w->pad = w->depth = 0;
	w->file = w->done = false;
	w->n = 0;
}

/* Behind the body of an object: its ")", and that of its entry. */
static void end_object(struct nar_writer *w)
{
	if (w->depth) {
		PUT(w, T_CLOSE T_CLOSE);
	} else {
		PUT(w, T_CLOSE);
		w->done = true;
	}
}

static void end_data(struct nar_writer *w)
{
	put_padding(w, w->pad);
	w->file = false;
	end_object(w);
}

/* The previous file must have all its bytes. */
static int check_file(const struct nar_writer *w, struct err *err)
{
	if (w->extra)
		return err_set(err, ERR_MISMATCH, "the file gave %llu bytes more than its size",
		               (unsigned long long)w->extra);
	if (w->file)
		return err_set(err, ERR_MISMATCH, "the file gave %llu bytes less than its size",
		               (unsigned long long)w->left);
	return 0;
}

static void put_file(struct nar_writer *w, const struct walk_entry *ent)
{
	if (ent->mode & 0100)
		PUT(w, T_OPEN T_TYPE T_REGULAR T_EXEC T_EMPTY T_CONTENTS);
	else
		PUT(w, T_OPEN T_TYPE T_REGULAR T_CONTENTS);
	put_u64(w, ent->size);
	w->left = ent->size;
	w->pad = ent->size & 7;
	w->file = true;
	if (!w->left)
		end_data(w);
}

static void put_object(struct nar_writer *w, const struct walk_entry *ent)
{
	switch (ent->kind) {
	case WALK_FILE:
		put_file(w, ent);
		break;
	case WALK_LINK:
		PUT(w, T_OPEN T_TYPE T_SYMLINK T_TARGET);
		put_str(w, ent->target);
		end_object(w);
		break;
	case WALK_DIR:
		PUT(w, T_OPEN T_TYPE T_DIRECTORY);
		w->depth++;
		break;
	case WALK_UP:
	case WALK_GRAFT:
		break;
	}
}

int nar_writer_entry(struct nar_writer *w, const struct walk_entry *ent, struct err *err)
{
	int rc = check_file(w, err);

	if (rc < 0)
		return rc;
	if (ent->kind == WALK_UP) {
		if (!w->depth)
			return err_set(err, ERR_USAGE,
			               "NAR: end of a directory without a directory");
		w->depth--;
		end_object(w);
		return 0;
	}
	if (ent->kind == WALK_GRAFT)
		return err_set(err, ERR_USAGE, "NAR: unexpected graft");
	if (w->done)
		return err_set(err, ERR_USAGE, "NAR: entry after the end of the tree");
	if (w->depth) {
		PUT(w, T_ENTRY T_OPEN T_NAME);
		put_str(w, ent->name);
		PUT(w, T_NODE);
	} else {
		PUT(w, T_MAGIC);
	}
	put_object(w, ent);
	return 0;
}

void nar_writer_data(struct nar_writer *w, const void *p, size_t n)
{
	size_t due = n < w->left ? n : (size_t)w->left;

	w->extra += n - due;
	if (!due)
		return;
	put_bytes(w, p, due);
	w->left -= due;
	if (!w->left)
		end_data(w);
}

int nar_writer_finish(struct nar_writer *w, struct err *err)
{
	int rc = check_file(w, err);

	if (rc < 0)
		return rc;
	if (!w->done)
		return err_set(err, ERR_USAGE, "NAR: ended before the tree is complete");
	flush(w);
	return 0;
}
