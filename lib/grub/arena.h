/* SPDX-License-Identifier: MIT */
/*
 * Memory that is freed all at once: a script's tree. Start from zeros.
 * What arena_alloc() returns is aligned for any type and zeroed.
 */
#ifndef GRUB_ARENA_H
#define GRUB_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *head;
	size_t left;  /* bytes free at the end of head */
	size_t total; /* bytes given out */
};

void *arena_alloc(struct arena *a, size_t n);
void arena_fini(struct arena *a);

#endif
