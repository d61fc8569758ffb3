/* SPDX-License-Identifier: MIT */
#include "cache/narinfo_wire.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "jail/wire.h"

static void put_texts(struct buf *out, const struct str *texts, size_t n)
{
	wire_u32_put(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		wire_text_put(out, texts[i]);
}

void narinfo_put(const struct narinfo *info, struct buf *out)
{
	wire_text_put(out, info->path.base);
	wire_text_put(out, info->url);
	wire_text_put(out, info->compression);
	wire_u64_put(out, info->file_size);
	buf_put(out, info->nar_hash, sizeof info->nar_hash);
	wire_u64_put(out, info->nar_size);
	put_texts(out, info->refs, info->nrefs);
	wire_text_put(out, info->deriver);
	put_texts(out, info->sigs, info->nsigs);
	wire_text_put(out, info->ca);
}

/* ---- reading ---------------------------------------------------------------- */

static void get_hash(struct bytes *b, uint8_t out[static HASH_SHA256_LEN])
{
	const uint8_t *hash = bytes_take(b, HASH_SHA256_LEN);

	if (hash)
		memcpy(out, hash, HASH_SHA256_LEN);
}

static struct str *get_texts(struct bytes *b, uint32_t max, size_t *n)
{
	struct str *texts;

	/* Each text has at least the bytes of its size, so the size of b limits the memory. */
	*n = wire_u32_get(b, MIN(max, (uint32_t)MIN(bytes_left(b) / 4, UINT32_MAX)));
	texts = *n ? xcalloc(*n, sizeof *texts) : NULL;
	for (size_t i = 0; i < *n; i++)
		texts[i] = wire_text_get(b, NARINFO_BYTES_MAX);
	return texts;
}

static void get(struct bytes *b, struct narinfo *out)
{
	out->path.base = wire_text_get(b, STORE_PATH_MAX);
	out->url = wire_text_get(b, NARINFO_URL_MAX);
	out->compression = wire_text_get(b, NARINFO_COMPRESSION_MAX);
	out->file_size = wire_u64_get(b, UINT64_MAX);
	get_hash(b, out->nar_hash);
	out->nar_size = wire_u64_get(b, UINT64_MAX);
	out->refs = get_texts(b, NARINFO_REFS_MAX, &out->nrefs);
	out->deriver = wire_text_get(b, STORE_PATH_MAX);
	out->sigs = get_texts(b, NARINFO_SIGS_MAX, &out->nsigs);
	out->ca = wire_text_get(b, NARINFO_BYTES_MAX);
}

int narinfo_get(struct str bytes, struct str digest, struct narinfo *out, struct err *err)
{
	struct bytes b = bytes_over(bytes.p, bytes.n);

	*out = (struct narinfo){0};
	get(&b, out);
	if (wire_end(&b) && narinfo_complete(out, digest))
		return 0;
	narinfo_fini(out);
	return err_set(err, ERR_CHILD, "an invalid narinfo from another process");
}
