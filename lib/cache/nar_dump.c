/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/mem.h"
#include "cache/nar_dump.h"
#include "nix/nar_writer.h"

#include <string.h>

#define PIECE (256u << 10)

struct nar_dump {
	struct walk *walk;
	struct nar_writer writer;
	struct buf out;
	size_t pos;
	uint64_t left; /* of the current file */
	bool ended;
	uint8_t piece[PIECE];
};

static void put(void *ctx, const void *p, size_t n)
{
	buf_put(&((struct nar_dump *)ctx)->out, p, n);
}

struct nar_dump *nar_dump_new(struct walk *walk)
{
	struct nar_dump *d = xcalloc(1, sizeof *d);

	d->walk = walk;
	nar_writer_init(&d->writer, put, d);
	return d;
}

void nar_dump_free(struct nar_dump *d)
{
	if (!d)
		return;
	walk_free(d->walk);
	buf_fini(&d->out);
	free(d);
}

static int dump_contents(struct nar_dump *d, struct err *err)
{
	size_t got;
	int rc = walk_read(d->walk, d->piece, (size_t)MIN(d->left, (uint64_t)PIECE), &got, err);

	if (rc < 0)
		return rc;
	if (got == 0 || got > d->left)
		return err_set(err, ERR_MISMATCH, "a file changed while it was read");
	nar_writer_data(&d->writer, d->piece, got);
	d->left -= got;
	return 0;
}

static int dump_more(struct nar_dump *d, struct err *err)
{
	struct walk_entry ent;
	int rc;

	if (d->left)
		return dump_contents(d, err);
	rc = walk_next(d->walk, &ent, err);
	if (rc < 0)
		return rc;
	if (rc == 1) {
		d->ended = true;
		return nar_writer_finish(&d->writer, err);
	}
	rc = nar_writer_entry(&d->writer, &ent, err);
	d->left = ent.kind == WALK_FILE ? ent.size : 0;
	return rc;
}

int nar_dump_read(struct nar_dump *d, void *p, size_t n, size_t *got, struct err *err)
{
	if (d->pos == d->out.n) {
		buf_reset(&d->out);
		d->pos = 0;
	}
	while (d->pos == d->out.n && !d->ended) {
		int rc = dump_more(d, err);

		if (rc < 0)
			return rc;
	}
	*got = MIN(n, d->out.n - d->pos);
	memcpy(p, buf_str(&d->out).p + d->pos, *got);
	d->pos += *got;
	return 0;
}
