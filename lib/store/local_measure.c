/* SPDX-License-Identifier: MIT */
#include "store/local.h"
#include "base/mem.h"
#include "base/walk_dir.h"
#include "nix/nar_hash.h"

#include <fcntl.h>
#include <string.h>

#define PIECE (1u << 20)

static int hash_tree(struct walk *walk, struct nar_hash *h, uint8_t *piece, struct err *err)
{
	struct walk_entry ent;
	size_t got = 0;
	int rc;

	while ((rc = walk_next(walk, &ent, err)) == 0) {
		rc = nar_hash_entry(h, &ent, err);
		for (uint64_t done = 0; rc == 0 && ent.kind == WALK_FILE && done < ent.size;
		     done += got) {
			rc = walk_read(walk, piece, PIECE, &got, err);
			if (rc == 0)
				nar_hash_data(h, piece, got);
		}
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : 0;
}

static int measure(const struct local_store *s, struct path_info *info, struct nar_hash *h,
                   uint8_t *piece, struct err *err)
{
	_free_ char *path = local_store_real_path(s, info->path);
	_cleanup_(walk_freep) struct walk *walk = walk_dir_new(AT_FDCWD, path, WALK_DIR_CANONICAL);
	char is[HASH_HEX_SIZE], should[HASH_HEX_SIZE];
	uint8_t hash[HASH_SHA256_LEN];
	int rc = hash_tree(walk, h, piece, err);

	if (rc < 0) {
		nar_hash_reset(h);
		return rc;
	}
	rc = nar_hash_final(h, hash, &info->nar_size, err);
	if (rc < 0 || !memcmp(hash, info->nar_hash, sizeof hash))
		return rc;
	return err_set(err, ERR_MISMATCH, "%s: its NAR hash is %s, but %s in the Nix database",
	               path, hash_format_hex(hash, is), hash_format_hex(info->nar_hash, should));
}

int local_store_measure(const struct local_store *s, struct closure *c, struct err *err)
{
	_free_ uint8_t *piece = xmalloc(PIECE);
	struct nar_hash h;
	int rc = 0;

	nar_hash_init(&h);
	for (size_t i = 0; i < c->n && rc == 0; i++)
		if (!c->paths[i].nar_size)
			rc = measure(s, &c->paths[i], &h, piece, err);
	nar_hash_fini(&h);
	return rc;
}
