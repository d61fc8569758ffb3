/* SPDX-License-Identifier: MIT */
/*
 * A .narinfo file: what a binary cache says of one store path.
 *
 *     line        = key ": " value "\n"       unknown keys are passed over
 *     StorePath   = "/nix/store/" base
 *     URL         = path of the archive below the cache, may carry a query; or
 *                   a whole URL of http or https, without user and password
 *     Compression = name                      missing or empty: bzip2
 *     FileHash    = hash, FileSize = digits   of the compressed file; optional
 *     NarHash     = hash, NarSize = digits    of the archive
 *     References  = base names, blanks between; may hold the path's own
 *     Deriver     = base name                 optional
 *     Sig         = see signature.h           may repeat
 *     CA          = content address           optional
 */
#ifndef NIX_NARINFO_H
#define NIX_NARINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "nix/hash.h"
#include "nix/store_path.h"

#define NARINFO_BYTES_MAX (4u << 20)
#define NARINFO_REFS_MAX 65536u
#define NARINFO_SIGS_MAX 64u
#define NARINFO_URL_MAX 2048u
#define NARINFO_COMPRESSION_MAX 64u
#define NARINFO_NAR_MAX (1ull << 50)

/* All views are into the text; the two arrays are owned. */
struct narinfo {
	struct store_path path;
	struct str url;
	struct str compression;
	bool has_file_hash;
	uint8_t file_hash[HASH_SHA256_LEN];
	uint64_t file_size; /* bytes; 0: not said */
	uint8_t nar_hash[HASH_SHA256_LEN];
	uint64_t nar_size; /* bytes, over 0 */
	struct str *refs;  /* base names in byte order, each once */
	size_t nrefs;
	struct str deriver; /* a base name; empty: none */
	struct str *sigs;   /* as they stand, each once */
	size_t nsigs;
	struct str ca; /* empty: none */
};

/*
 * Parse a text that was asked for by a path's 32 digits. text must outlive
 * *out, which is for narinfo_fini(). 0, -ERR_FORMAT, -ERR_LIMIT, or
 * -ERR_MISMATCH: it is about another path.
 */
int narinfo_parse(struct str text, struct str digest, struct narinfo *out, struct err *err);
void narinfo_fini(struct narinfo *n);

/*
 * Whether the fields of *n, which come from another process, are as narinfo_parse() leaves them.
 * Only path.base of the path is looked at; the rest of it is filled in.
 */
bool narinfo_complete(struct narinfo *n, struct str digest);

/* Whether the archive has a URL of its own, not one below the cache. */
bool narinfo_url_is_absolute(struct str url);

/* The largest plausible compressed size of an archive of so many bytes. */
uint64_t narinfo_file_max(uint64_t nar_size);

#endif
