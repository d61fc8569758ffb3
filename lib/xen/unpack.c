/* SPDX-License-Identifier: MIT */
#include "xen/unpack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "codec/pull.h"
#include "xen/unlz4.h"

#define PIECE 65536
#define LZ4_MAGIC "\x02\x21\x4c\x18"
#define LZ4_MAGIC_SIZE 4

/* How a kernel or an initrd is packed; codec NULL: not by one of the codecs. */
static const struct packing {
	enum unpack_kind kind;
	const char *name;
	const char *magic;
	size_t magic_size;
	const struct codec *codec;
} packings[] = {
        {UNPACK_NONE, "none", "\177ELF", 4, NULL},
        {UNPACK_GZIP, "gzip", "\x1f\x8b", 2, &codec_gzip},
        {UNPACK_BZIP2, "bzip2", "BZh", 3, NULL},
        {UNPACK_XZ, "xz", "\xfd\x37\x7a\x58\x5a\x00", 6, &codec_xz},
        {UNPACK_LZMA, "lzma", "\x5d\x00", 2, &codec_lzma},
        {UNPACK_LZO, "lzo", "\x89\x4c\x5a\x4f\x00", 5, NULL},
        {UNPACK_LZ4, "lz4", LZ4_MAGIC, LZ4_MAGIC_SIZE, NULL},
        {UNPACK_ZSTD, "zstd", "\x28\xb5\x2f\xfd", 4, &codec_zstd},
};

struct unpack {
	struct stream packed; /* the bytes of the window */
	const struct packing *packing;
	struct window w;
	uint64_t pos; /* in the window, of the next byte to read */
	bool end;
	struct pull pull;       /* of a codec */
	struct unlz4_input lz4; /* of lz4: has the bytes in in[] */
	struct unlz4 *z;
	uint8_t in[PIECE];
};

/* ---- input ------------------------------------------------------------------ */

static int read_window(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	struct unpack *u = CONTAINER(s, struct unpack, packed);
	int rc;

	*got = (size_t)MIN(u->w.size - u->pos, (uint64_t)n);
	rc = *got ? window_read(&u->w, p, *got, u->pos, err) : 0;
	u->pos += rc == 0 ? *got : 0;
	return rc;
}

static bool lz4_fill(struct unlz4_input *in)
{
	struct unpack *u = CONTAINER(in, struct unpack, lz4);
	struct err unused = ERR_INIT;
	size_t got;

	if (read_window(&u->packed, u->in, sizeof u->in, &got, &unused) < 0 || !got)
		return false;
	in->next = u->in;
	in->end = u->in + got;
	return true;
}

/* ---- which ------------------------------------------------------------------ */

enum unpack_kind unpack_probe(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(packings); i++)
		if (n >= packings[i].magic_size &&
		    memcmp(p, packings[i].magic, packings[i].magic_size) == 0)
			return packings[i].kind;
	return UNPACK_UNKNOWN;
}

const char *unpack_name(enum unpack_kind kind)
{
	for (size_t i = 0; i < ARRAY_LEN(packings); i++)
		if (packings[i].kind == kind)
			return packings[i].name;
	return "unknown";
}

int unpack_new(enum unpack_kind kind, const struct window *w, size_t memory, struct unpack **out,
               struct err *err)
{
	const struct packing *p = NULL;
	struct unpack *u;

	for (size_t i = 0; i < ARRAY_LEN(packings); i++)
		if (packings[i].kind == kind)
			p = &packings[i];
	if (!p || (!p->codec && kind != UNPACK_NONE && kind != UNPACK_LZ4))
		return err_set(err, ERR_UNSUPPORTED, "unsupported compression: %s",
		               unpack_name(kind));
	u = xcalloc(1, sizeof *u);
	u->packed.read = read_window;
	u->packing = p;
	u->w = *w;
	u->pull = (struct pull){.codec = p->codec,
	                        .memory = {memory, memory, memory, NULL, NULL},
	                        .src = &u->packed,
	                        .in = u->in,
	                        .in_size = sizeof u->in};
	if (kind == UNPACK_LZ4) {
		u->pos = LZ4_MAGIC_SIZE;
		u->lz4.fill = lz4_fill;
		u->z = xmalloc(sizeof *u->z);
		unlz4_init(u->z, &u->lz4);
	}
	*out = u;
	return 0;
}

void unpack_free(struct unpack *u)
{
	if (!u)
		return;
	pull_fini(&u->pull);
	free(u->z);
	free(u);
}

void unpack_freep(struct unpack **u)
{
	unpack_free(*u);
}

/* ---- the stream ------------------------------------------------------------- */

/* Up to n bytes: 0, 1 at the end, or -ERR_*. */
static int pull(struct unpack *u, uint8_t *to, size_t n, size_t *got, struct err *err)
{
	int rc = pull_fill(&u->pull, err);

	u->pull.io.out = to;
	u->pull.io.out_n = n;
	if (rc == 0)
		rc = pull_step(&u->pull, err);
	*got = n - u->pull.io.out_n;
	return rc;
}

int unpack_read(struct unpack *u, void *p, size_t n, size_t *got, struct err *err)
{
	size_t done = 0;

	while (done < n && !u->end) {
		uint8_t *to = (uint8_t *)p + done;
		size_t m = 0;
		int rc;

		if (u->packing->kind == UNPACK_NONE) {
			rc = read_window(&u->packed, to, n - done, &m, err);
			rc = rc == 0 ? !m : rc;
		} else if (u->z) {
			rc = unlz4_read(u->z, to, n - done, &m, err);
		} else {
			rc = pull(u, to, n - done, &m, err);
		}
		if (rc < 0)
			return rc;
		done += m;
		u->end = rc == 1;
	}
	*got = done;
	return 0;
}

uint64_t unpack_used(const struct unpack *u)
{
	if (u->z)
		return u->pos - (uint64_t)(u->lz4.end - u->lz4.next);
	return u->packing->codec ? pull_used(&u->pull) : u->pos;
}
