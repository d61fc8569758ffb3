/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "cache/http_body.h"

#include <string.h>

static struct body_piece *get_piece(struct body_heap *h)
{
	struct body_piece *p = h->first;

	if (p)
		h->first = p->next;
	else
		/* Not xcalloc: it is about to be filled. */
		p = xmalloc(sizeof *p);
	p->next = NULL;
	p->n = 0;
	return p;
}

static void drop_first(struct body *b, struct body_heap *h)
{
	struct body_piece *p = b->first;

	b->first = p->next;
	if (!b->first)
		b->last = NULL;
	b->pos = 0;
	p->next = h->first;
	h->first = p;
}

void body_put(struct body *b, struct body_heap *h, const void *p, size_t n)
{
	const uint8_t *from = p;

	while (n) {
		struct body_piece *to = b->last;
		size_t m;

		if (!to || to->n == BODY_PIECE) {
			to = get_piece(h);
			*(b->last ? &b->last->next : &b->first) = to;
			b->last = to;
		}
		m = MIN(n, BODY_PIECE - to->n);
		memcpy(to->bytes + to->n, from, m);
		to->n += m;
		b->waiting += m;
		from += m;
		n -= m;
	}
}

const uint8_t *body_peek(const struct body *b, size_t *n)
{
	if (!b->waiting)
		return NULL;
	*n = b->first->n - b->pos;
	return b->first->bytes + b->pos;
}

void body_drop(struct body *b, struct body_heap *h, size_t n)
{
	b->pos += n;
	b->waiting -= n;
	if (b->pos == b->first->n)
		drop_first(b, h);
}

void body_fini(struct body *b, struct body_heap *h)
{
	while (b->first)
		drop_first(b, h);
	b->waiting = 0;
}

void body_heap_fini(struct body_heap *h)
{
	while (h->first) {
		struct body_piece *p = h->first;

		h->first = p->next;
		free(p);
	}
}
