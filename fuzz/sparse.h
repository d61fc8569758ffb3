/* SPDX-License-Identifier: MIT */
/* A disk of which only some blocks are there: { number (32 bits), block }. The others are zero. */
#ifndef FUZZ_SPARSE_H
#define FUZZ_SPARSE_H

#include <stddef.h>
#include <stdint.h>

#include "disk/window.h"

struct sparse {
	struct source src;
	size_t block; /* bytes */
	uint8_t *p;   /* the pieces */
	size_t n;
	uint64_t seen[64]; /* a bit for each number modulo 4096: most blocks are not there */
};

/* A copy of the input's whole pieces; end with free(s->p). */
void sparse_init(struct sparse *s, const uint8_t *data, size_t size, size_t block);

/* The i-th piece's block, and that with a number; NULL: it is not there. To be changed at will. */
uint8_t *sparse_piece(const struct sparse *s, size_t i);
uint8_t *sparse_block(const struct sparse *s, uint64_t number);

#endif
