/* SPDX-License-Identifier: MIT */
/*
 * Messages from a malicious fetcher to the parent, about three downloads: whatever they say, no
 * byte outside the shared memory is read.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "cache/http_internal.h"

#define DOWNLOADS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void begin(struct http *h)
{
	struct download *d = xcalloc(1, sizeof *d);

	d->http = h;
	d->id = ++h->last_id;
	d->url = xstrdup("http://user:password@host/");
	d->name = xstrdup("name");
	d->limit = 3 << 20;
	d->window = 1 << 20;
	d->freed = d->id == DOWNLOADS;
	d->prev = h->last;
	*(h->last ? &h->last->next : &h->first) = d;
	h->last = d;
}

/* Read some of the bytes that the messages announced. */
static void read_some(const struct http *h, struct download *d, size_t most)
{
	const uint8_t *p;
	size_t n;

	while (most && (p = body_peek(&d->body, &h->store, &n))) {
		size_t off = (size_t)(p - h->store.bytes);

		n = MIN(n, most);
		if (off > (size_t)BODY_PIECE * BODY_PIECES - n || off % BODY_PIECE + n > BODY_PIECE)
			abort();
		body_drop(&d->body, NULL, n);
		most -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t memory; /* an address for comparisons; nothing is read */
	struct http h = {.opt.tries = 2, .store.bytes = &memory};
	struct err err = ERR_INIT;

	h.line.wire = (struct wire){.rules = http_fetcher_rules,
	                            .rule_count = http_fetcher_rule_count,
	                            .peer = "fetcher"};
	buf_puts(&h.netrc, "machine host login a password b");
	for (int i = 0; i < DOWNLOADS; i++)
		begin(&h);
	buf_put(&h.line.in, data, size);
	if (http_heed(&h, &err) == 0)
		for (struct download *d = h.first; d; d = d->next)
			read_some(&h, d, d->id * 70000);
	while (h.first) {
		if (h.first->body.waiting > h.first->window + (1u << 20) ||
		    h.first->arrived > h.first->limit)
			abort();
		http_unlink(&h, h.first);
	}
	http_line_fini(&h.line);
	buf_fini(&h.netrc);
	return 0;
}
