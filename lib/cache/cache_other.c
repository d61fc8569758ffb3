/* SPDX-License-Identifier: MIT */
/* Asking another supplier for a NAR after one supplier's was invalid. */
#include "base/mem.h"
#include "cache/caches_internal.h"

#include <string.h>

/* The closure and its order are final, so only the same NAR can be used. */
static bool is_same(const struct path_info *info, uint64_t size,
                    const uint8_t hash[HASH_SHA256_LEN])
{
	return size == info->nar_size && memcmp(hash, info->nar_hash, HASH_SHA256_LEN) == 0;
}

static int ask_store(struct caches *c, const struct path_info *info, struct offer *o,
                     size_t supplier, struct err *err)
{
	_cleanup_(closure_fini) struct closure all = {0};
	const struct path_info *there;
	int rc;

	pthread_mutex_lock(&c->lock);
	rc = local_store_closure(c->suppliers[supplier].local, info->path, &all, err);
	pthread_mutex_unlock(&c->lock);
	there = rc == 0 ? closure_find(&all, info->path) : NULL;
	if (!there || !is_same(info, there->nar_size, there->nar_hash))
		return 1;
	o->supplier = supplier;
	o->from_kept = false;
	return 0;
}

static int ask_cache(struct caches *c, const struct path_info *info, struct offer *o,
                     size_t supplier, struct err *err)
{
	struct str digest = {info->path + strlen(STORE_DIR "/"), STORE_DIGEST_LEN};
	_free_ char *name = xasprintf("%.*s.narinfo", STR_ARG(digest));
	_cleanup_(buf_fini) struct buf text = BUF_INIT, bytes = BUF_INIT;
	_cleanup_(narinfo_fini) struct narinfo got = {0};
	struct offer trusted = {0};
	struct cache_file *file =
	        cache_open(c->suppliers[supplier].cache, name, NARINFO_BYTES_MAX, NARINFO_WINDOW);
	int rc = cache_file_read_all(file, NARINFO_BYTES_MAX, &text, err);

	cache_file_free(file);
	if (rc == 0)
		rc = unpacker_narinfo(c->unpacker, buf_str(&text), digest, &bytes, &got, err);
	if (rc == 0)
		rc = caches_trust(c, &got, &trusted, err);
	if (rc == -ERR_INTERRUPTED || rc == -ERR_CHILD)
		return rc;
	if (rc < 0 || !is_same(info, got.nar_size, got.nar_hash))
		return 1;
	o->by_contents = trusted.by_contents;
	memcpy(o->contents, trusted.contents, sizeof o->contents);
	offer_set(o, &got, supplier);
	return 0;
}

int caches_ask_other(struct caches *c, const struct path_info *info, struct offer *o,
                     size_t supplier, struct err *err)
{
	struct str digest = {info->path + strlen(STORE_DIR "/"), STORE_DIGEST_LEN};
	char name[KEPT_NAME_SIZE];

	if (c->suppliers[supplier].local)
		return ask_store(c, info, o, supplier, err);
	if (o->from_kept && supplier == o->supplier) {
		caches_kept_name(c, supplier, digest, name);
		cache_dir_drop(c->dir, name);
		o->from_kept = false;
	}
	return ask_cache(c, info, o, supplier, err);
}
