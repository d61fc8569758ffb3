/* SPDX-License-Identifier: MIT */
/*
 * One binary cache: a server or a directory.
 *
 *     file:///dir  http://host/path  https://host/path      "?priority=N" may follow
 *
 * Other parameters of Nix are ignored if they do not affect reading. dir may
 * contain escapes such as %20.
 */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "cache/unpacker.h"
#include "nix/hash.h"

struct cache;
struct cache_file;
struct http;

/* Whether a text is the URL of a binary cache, not a directory of this host. */
bool cache_is_url(const char *text);
/* Whether it is http or https, and so needs a struct http. */
bool cache_is_remote(const char *text);
/* The URL without user name and password; the caller owns it. */
char *cache_shown(const char *text);

/* Makes no request yet. http is borrowed; NULL for a directory. -ERR_USAGE. */
int cache_new(const char *url, struct http *http, struct unpacker *unpacker, struct cache **out,
              struct err *err);
void cache_free(struct cache *c);
/* Its URL without user name and password. */
const char *cache_name(const struct cache *c);
bool cache_remote(const struct cache *c);

/* Start reading nix-cache-info, and parse it. */
void cache_begin_info(struct cache *c);
int cache_end_info(struct cache *c, struct err *err);
unsigned cache_priority(const struct cache *c);

/*
 * Start reading a file of the cache, or of another server if the name is an http
 * or https URL; at most limit bytes; window as for http_get(). Errors are reported
 * when it is read.
 */
struct cache_file *cache_open(struct cache *c, const char *name, uint64_t limit, size_t window);
void cache_file_free(struct cache_file *f);
/* Like download_read(). */
int cache_file_read(struct cache_file *f, void *p, size_t n, size_t *got, struct err *err);
bool cache_file_ready(struct cache_file *f);
/*
 * Read all of it into an empty buffer and decode the server's Content-Encoding.
 * -ERR_LIMIT if it has more than limit bytes, before or after decoding.
 */
int cache_file_read_all(struct cache_file *f, size_t limit, struct buf *out, struct err *err);

#endif
