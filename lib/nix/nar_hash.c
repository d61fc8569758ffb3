/* SPDX-License-Identifier: MIT */
#include "nix/nar_hash.h"

static void put(void *ctx, const void *p, size_t n)
{
	struct nar_hash *h = ctx;

	sha256_update(&h->sha, p, n);
	h->size += n;
}

static void begin(struct nar_hash *h)
{
	nar_writer_init(&h->w, put, h);
	h->size = 0;
}

void nar_hash_init(struct nar_hash *h)
{
	sha256_init(&h->sha);
	begin(h);
}

void nar_hash_fini(struct nar_hash *h)
{
	sha256_fini(&h->sha);
}

int nar_hash_final(struct nar_hash *h, uint8_t out[HASH_SHA256_LEN], uint64_t *nar_size,
                   struct err *err)
{
	int rc = nar_writer_finish(&h->w, err);

	if (rc < 0) {
		nar_hash_reset(h);
		return rc;
	}
	sha256_final(&h->sha, out);
	*nar_size = h->size;
	begin(h);
	return 0;
}

void nar_hash_reset(struct nar_hash *h)
{
	uint8_t unused[HASH_SHA256_LEN];

	sha256_final(&h->sha, unused);
	begin(h);
}
