/* SPDX-License-Identifier: MIT */
/*
 * The NAR hash and size of a tree, taken from its walk. Use as nar_writer.h
 * shows; one nar_hash serves any number of trees, one after the other.
 */
#ifndef NIX_NAR_HASH_H
#define NIX_NAR_HASH_H

#include "nix/hash.h"
#include "nix/nar_writer.h"

/* Holds a pointer to itself: do not move or copy after nar_hash_init(). */
struct nar_hash {
	struct nar_writer w;
	struct sha256 sha;
	uint64_t size;
};

void nar_hash_init(struct nar_hash *h);
void nar_hash_fini(struct nar_hash *h);

/* As nar_writer_entry() and nar_writer_data(). */
static inline int nar_hash_entry(struct nar_hash *h, const struct walk_entry *ent, struct err *err)
{
	return nar_writer_entry(&h->w, ent, err);
}

static inline void nar_hash_data(struct nar_hash *h, const void *p, size_t n)
{
	nar_writer_data(&h->w, p, n);
}

/*
 * Hash and size (bytes) of the whole archive; errors as nar_writer_finish().
 * Either way h is then ready for the next tree.
 */
int nar_hash_final(struct nar_hash *h, uint8_t out[HASH_SHA256_LEN], uint64_t *nar_size,
                   struct err *err);
/* Drop an unfinished tree; h is ready for the next. */
void nar_hash_reset(struct nar_hash *h);

#endif
