/* SPDX-License-Identifier: MIT */
/*
 * Compressed data: a byte that selects the name, one for the size of the input
 * pieces, then the data. Up to 1 MiB of it is unpacked; the sizes of the pieces
 * must not change the result.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cache/decompress.h"
#include "nix/hash.h"

#define OUT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
	struct stream stream;
	const uint8_t *p;
	size_t n, piece;
};

static int source_read(struct stream *stream, void *p, size_t n, size_t *got, struct err *err)
{
	struct source *s = (struct source *)stream;

	*got = MIN(MIN(n, s->piece), s->n);
	memcpy(p, s->p, *got);
	s->p += *got;
	s->n -= *got;
	return 0;
}

/* Returns the number of bytes unpacked; *rc: how it ended; hash: of these bytes. */
static size_t unpack_all(struct source s, struct str name, size_t ask, int *rc,
                         uint8_t hash[HASH_SHA256_LEN])
{
	struct decompressor *d = decompress_new(name, &s.stream);
	uint8_t *out = xmalloc(OUT_MAX);
	struct err err = ERR_INIT;
	size_t n = 0, got = 0;

	do {
		*rc = decompress_read(d, out + n, MIN(ask, OUT_MAX - n), &got, &err);
		n += *rc == 0 ? got : 0;
	} while (*rc == 0 && got && n < OUT_MAX);
	if (*rc < 0 && !err.text[0])
		abort();
	sha256_of(out, n, hash);
	decompress_free(d);
	free(out);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"xz", "zstd", "bzip2", "gzip", "br", "lz4", "lzma", ""};
	uint8_t a[HASH_SHA256_LEN], b[HASH_SHA256_LEN];
	struct str name;
	size_t first, second;
	int rc, again;

	if (size < 2)
		return 0;
	name = str_from(names[data[0] % ARRAY_LEN(names)]);
	first = unpack_all((struct source){{source_read}, data + 2, size - 2, SIZE_MAX}, name,
	                   OUT_MAX, &rc, a);
	second = unpack_all((struct source){{source_read}, data + 2, size - 2, (size_t)data[1] + 1},
	                    name, 4096, &again, b);
	/* If the data is damaged, the number of bytes before the error may differ. */
	if (rc == 0 && (again != 0 || first != second || memcmp(a, b, sizeof a) != 0))
		abort();
	return 0;
}
