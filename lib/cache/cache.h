/* SPDX-License-Identifier: MIT */
/*
 * One binary cache: a server or a folder.
 *
 *     file:///dir  http://host/path  https://host/path      "?priority=N" may follow
 *
 * Other parameters that Nix has are taken where they do not matter to a reader.
 * The dir may have escapes such as %20, as any URL.
 */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "nix/hash.h"

struct cache;
struct cache_file;
struct http;

/* Whether a text means a binary cache, and not a directory of this host. */
bool cache_is_url(const char *text);
/* Of http or https, so that it wants a struct http. */
bool cache_is_remote(const char *text);
/* It, without user name and password; the caller owns it. */
char *cache_shown(const char *text);

/* Asks nobody yet. http is borrowed, and may be NULL for a folder. -ERR_USAGE. */
int cache_new(const char *url, struct http *http, struct cache **out, struct err *err);
void cache_free(struct cache *c);
/* Its URL without user name and password. */
const char *cache_name(const struct cache *c);
bool cache_remote(const struct cache *c);

/* Begin to read nix-cache-info, and see what it says. */
void cache_begin_info(struct cache *c);
int cache_end_info(struct cache *c, struct err *err);
unsigned cache_priority(const struct cache *c);

/*
 * Begin to read a file below the cache, or elsewhere where the name is a URL of
 * http or https; of at most limit bytes; window as for http_get(). Errors show
 * when it is read.
 */
struct cache_file *cache_open(struct cache *c, const char *name, uint64_t limit, size_t window);
void cache_file_free(struct cache_file *f);
/* As download_read(). */
int cache_file_read(struct cache_file *f, void *p, size_t n, size_t *got, struct err *err);
/* After its end was read: the SHA-256 of all bytes. Once. */
void cache_file_hash(struct cache_file *f, uint8_t out[HASH_SHA256_LEN]);
/* Another thread that waits for its bytes gets -ERR_INTERRUPTED. */
void cache_file_stop(struct cache_file *f);
bool cache_file_ready(struct cache_file *f);
/*
 * All of it, into an empty buffer; unpacked where the server says that it packed
 * it (Content-Encoding). Over limit bytes, then too, is -ERR_LIMIT.
 */
int cache_file_read_all(struct cache_file *f, size_t limit, struct buf *out, struct err *err);

#endif
