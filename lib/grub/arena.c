/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/arena.h"

#include <stdalign.h>
#include <string.h>

#define BLOCK ((size_t)2048)

struct arena_block {
	struct arena_block *next;
	size_t size;
	alignas(max_align_t) char bytes[];
};

void *arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *b;
	char *at;

	n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!a->head || n > a->left) {
		size_t size = MAX(n, BLOCK);

		b = xmalloc(sizeof *b + size);
		b->next = a->head;
		b->size = size;
		a->head = b;
		a->left = size;
	}
	at = a->head->bytes + (a->head->size - a->left);
	a->left -= n;
	a->total += n;
	memset(at, 0, n);
	return at;
}

void arena_fini(struct arena *a)
{
	while (a->head) {
		struct arena_block *next = a->head->next;

		free(a->head);
		a->head = next;
	}
	a->left = 0;
}
