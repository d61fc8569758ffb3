/* SPDX-License-Identifier: MIT */
/*
 * Archives are canonical: whatever the reader accepts, the writer must turn
 * into the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "nix/nar.h"
#include "nix/nar_writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pieces {
	struct stream stream;
	const uint8_t *p;
	size_t left, step;
};

static int next_piece(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	struct pieces *from = (struct pieces *)s;

	*got = MIN(n, MIN(from->left, from->step));
	if (*got)
		memcpy(p, from->p, *got);
	from->p += *got;
	from->left -= *got;
	return 0;
}

static void append(void *ctx, const void *p, size_t n)
{
	buf_put(ctx, p, n);
}

static int copy_data(struct walk *w, struct nar_writer *out, struct err *err)
{
	char data[100];
	size_t got;
	int rc;

	do {
		rc = walk_read(w, data, sizeof data, &got, err);
		if (rc == 0)
			nar_writer_data(out, data, got);
	} while (rc == 0 && got);
	return rc;
}

/* Skipping all contents: must end with the same result. */
static int skim(struct stream *src)
{
	_cleanup_(walk_freep) struct walk *w = nar_walk_new(src);
	struct err err = ERR_INIT;
	struct walk_entry ent;
	int rc;

	while ((rc = walk_next(w, &ent, &err)) == 0)
		;
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pieces from = {{next_piece}, data, size, 1 + size % 61}, again = from;
	_cleanup_(walk_freep) struct walk *w = nar_walk_new(&from.stream);
	_cleanup_(buf_fini) struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	struct walk_entry ent;
	struct nar_writer wr;
	int rc;

	nar_writer_init(&wr, append, &out);
	while ((rc = walk_next(w, &ent, &err)) == 0) {
		rc = nar_writer_entry(&wr, &ent, &err);
		if (rc == 0 && ent.kind == WALK_FILE)
			rc = copy_data(w, &wr, &err);
		if (rc < 0)
			break;
	}
	if (skim(&again.stream) != rc)
		abort();
	if (rc == 1 && nar_writer_finish(&wr, &err) < 0)
		abort();
	if (rc == 1 && (out.n != size || memcmp(out.p, data, size) != 0))
		abort();
	return 0;
}
