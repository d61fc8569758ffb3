/* SPDX-License-Identifier: MIT */
/* Downloading small files before they are read. */
#include "base/io.h"
#include "base/mem.h"
#include "cache/caches_internal.h"
#include "cache/decompress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AHEAD_BYTES (32u << 20)

void offer_dir_name(const struct offer *o, const struct path_info *info, char *out, size_t n)
{
	char hash[HASH_NIX32_SIZE];

	snprintf(out, n, "nar/%s.nar%s",
	         hash_format_nix32(info->nar_hash, hash) + strlen("sha256:"),
	         decompress_suffix(str_from(o->compression)));
}

uint64_t offer_file_limit(const struct offer *o, const struct path_info *info)
{
	return o->file_size ? o->file_size : narinfo_file_max(info->nar_size);
}

static bool is_kept(const struct caches *c, size_t i)
{
	char name[128];
	int fd = -1;

	if (!c->dir)
		return false;
	offer_dir_name(&c->offers[i], &c->paths[i], name, sizeof name);
	fd = cache_dir_get(c->dir, name);
	if (fd < 0)
		return false;
	io_close(&fd);
	return true;
}

/* Begin the next downloads, up to the limits. Locked. */
static void run_ahead(struct caches *c)
{
	while (c->next_order < c->n_order && c->ahead_n < 2 * c->opt.http.jobs) {
		size_t i = c->order[c->next_order];
		struct offer *o = &c->offers[i];
		struct cache *cache = c->suppliers[o->supplier].cache;
		uint64_t bytes = offer_file_limit(o, &c->paths[i]);

		if (!o->opened && cache && cache_remote(cache) && bytes <= NAR_WINDOW &&
		    !is_kept(c, i)) {
			if (c->ahead_n && c->ahead_bytes + bytes > AHEAD_BYTES)
				return;
			o->ahead = cache_open(cache, o->url, bytes, (size_t)bytes);
			o->ahead_bytes = bytes;
			o->ahead_from = o->supplier;
			c->ahead_bytes += bytes;
			c->ahead_n++;
		}
		c->next_order++;
	}
}

void caches_order(struct caches *c, const size_t *order, size_t n)
{
	pthread_mutex_lock(&c->lock);
	free(c->order);
	c->order = xcalloc(n, sizeof *c->order);
	memcpy(c->order, order, n * sizeof *order);
	c->n_order = n;
	c->next_order = 0;
	run_ahead(c);
	pthread_mutex_unlock(&c->lock);
}

struct cache_file *offer_take_ahead(struct caches *c, struct offer *o)
{
	struct cache_file *f;

	pthread_mutex_lock(&c->lock);
	f = take(&o->ahead);
	if (f) {
		c->ahead_bytes -= o->ahead_bytes;
		c->ahead_n--;
	}
	run_ahead(c);
	pthread_mutex_unlock(&c->lock);
	/* The supplier may have changed since. */
	if (f && o->ahead_from != o->supplier) {
		cache_file_free(f);
		f = NULL;
	}
	return f;
}
