/* SPDX-License-Identifier: MIT */
#include "cache/http_body.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

#define STORE_BYTES ((size_t)BODY_PIECE * BODY_PIECES)

int body_store_init(struct body_store *s, struct err *err)
{
	/* A memfd, so that no memory is reserved. It is closed here, so nobody can truncate it. */
	_close_ int fd = memfd_create("downloads", MFD_CLOEXEC);
	void *p = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, (off_t)STORE_BYTES) == 0)
		p = mmap(NULL, STORE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd,
		         0);
	if (p == MAP_FAILED)
		return err_sys(err, errno, "cannot allocate memory for downloads");
	*s = (struct body_store){.bytes = p};
	return 0;
}

void body_store_fini(struct body_store *s)
{
	if (s->bytes)
		munmap(s->bytes, STORE_BYTES);
	free(s->spare);
	*s = (struct body_store){0};
}

/* ---- pieces ----------------------------------------------------------------- */

static void add_piece(struct body *b, uint32_t piece)
{
	GROW(b->piece, b->n, b->cap);
	b->piece[b->n++] = piece;
	b->end = 0;
}

static bool get_piece(struct body_store *s, uint32_t *out)
{
	if (s->n_spare)
		*out = s->spare[--s->n_spare];
	else if (s->used < BODY_PIECES)
		*out = s->used++;
	else
		return false;
	return true;
}

static void give_back(struct body_store *s, uint32_t piece)
{
	if (!s)
		return;
	GROW(s->spare, s->n_spare, s->cap);
	s->spare[s->n_spare++] = piece;
}

/* ---- bodies ----------------------------------------------------------------- */

bool body_put(struct body *b, struct body_store *s, const void *p, size_t n, struct body_part *part)
{
	uint32_t piece;

	if (!b->n || b->end == BODY_PIECE) {
		if (!get_piece(s, &piece))
			return false;
		add_piece(b, piece);
	}
	*part = (struct body_part){b->piece[b->n - 1], (uint32_t)b->end,
	                           (uint32_t)MIN(n, BODY_PIECE - b->end)};
	memcpy(s->bytes + (size_t)part->piece * BODY_PIECE + part->from, p, part->n);
	b->end += part->n;
	b->waiting += part->n;
	return true;
}

bool body_add(struct body *b, const struct body_part *part)
{
	bool fresh = !b->n || b->end == BODY_PIECE;

	if (part->piece >= BODY_PIECES || part->from > BODY_PIECE || !part->n ||
	    part->n > BODY_PIECE - part->from)
		return false;
	if (fresh ? part->from != 0 : part->piece != b->piece[b->n - 1] || part->from != b->end)
		return false;
	if (fresh)
		add_piece(b, part->piece);
	b->end += part->n;
	b->waiting += part->n;
	return true;
}

const uint8_t *body_peek(const struct body *b, const struct body_store *s, size_t *n)
{
	if (!b->waiting)
		return NULL;
	*n = MIN(b->waiting, BODY_PIECE - b->pos);
	return s->bytes + (size_t)b->piece[0] * BODY_PIECE + b->pos;
}

void body_drop(struct body *b, struct body_store *s, size_t n)
{
	size_t read = 0;

	b->waiting -= n;
	for (b->pos += n; b->pos >= BODY_PIECE; b->pos -= BODY_PIECE)
		give_back(s, b->piece[read++]);
	b->n -= read;
	if (read)
		memmove(b->piece, b->piece + read, b->n * sizeof *b->piece);
}

void body_fini(struct body *b, struct body_store *s)
{
	for (size_t i = 0; i < b->n; i++)
		give_back(s, b->piece[i]);
	free(b->piece);
	*b = (struct body){0};
}
