/* SPDX-License-Identifier: MIT */
/*
 * A narinfo as the process that parses it tells the parent: 32 digits, then narinfo_wire.h's bytes.
 * What is accepted has one form, and it is what narinfo_parse() gives for the same fields as a
 * text.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cache/narinfo_wire.h"
#include "nix/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_line(struct buf *out, const char *key, struct str value)
{
	buf_putf(out, "%s: ", key);
	buf_put(out, value.p, value.n);
	buf_puts(out, "\n");
}

static void put_hash(struct buf *out, const char *key, const uint8_t hash[HASH_SHA256_LEN])
{
	char text[HASH_NIX32_SIZE];

	hash_format_nix32(hash, text);
	buf_putf(out, "%s: %s\n", key, text);
}

static void put_text(struct buf *out, const struct narinfo *n)
{
	buf_putf(out, "StorePath: " STORE_DIR "/%.*s\n", STR_ARG(n->path.base));
	put_line(out, "URL", n->url);
	put_line(out, "Compression", n->compression);
	buf_putf(out, "FileSize: %llu\n", (unsigned long long)n->file_size);
	put_hash(out, "NarHash", n->nar_hash);
	buf_putf(out, "NarSize: %llu\nReferences:", (unsigned long long)n->nar_size);
	for (size_t i = 0; i < n->nrefs; i++)
		buf_putf(out, " %.*s", STR_ARG(n->refs[i]));
	buf_puts(out, "\n");
	put_line(out, "Deriver", n->deriver);
	for (size_t i = 0; i < n->nsigs; i++)
		put_line(out, "Sig", n->sigs[i]);
	put_line(out, "CA", n->ca);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = {(const char *)data, size},
	           digest = {bytes.p, MIN(size, STORE_DIGEST_LEN)};
	_cleanup_(narinfo_fini) struct narinfo n = {0}, parsed = {0};
	_cleanup_(buf_fini) struct buf again = BUF_INIT, text = BUF_INIT;
	struct err err = ERR_INIT;

	bytes = str_drop(bytes, digest.n);
	if (narinfo_get(bytes, digest, &n, &err) < 0)
		return 0;
	put_text(&text, &n);
	if (narinfo_parse(buf_str(&text), digest, &parsed, &err) < 0)
		abort();
	narinfo_put(&parsed, &again);
	if (again.n != bytes.n || memcmp(again.p, bytes.p, bytes.n) != 0)
		abort();
	return 0;
}
