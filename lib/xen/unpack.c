/* SPDX-License-Identifier: MIT */
#include "xen/unpack.h"

#include <inttypes.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "xen/unlz4.h"

#define PIECE 65536
#define LZ4_MAGIC_SIZE 4

/* 0 more may follow, 1 the end of the stream, or -ERR_*. */
typedef int unpack_step(struct unpack *u, uint8_t *to, size_t n, size_t *got, struct err *err);

struct unpack {
	const struct packing *packing;
	struct window w;
	uint64_t pos; /* in the window, of the next byte to read into in[] */
	bool end;
	const uint8_t *next; /* in in[] */
	size_t left;
	union {
		z_stream z;
		lzma_stream lzma;
		ZSTD_DStream *zstd;
		struct lz4_state *lz4;
	} state;
	uint8_t in[PIECE];
};

struct packing {
	enum unpack_kind kind;
	const char *name;
	const char *magic;
	size_t magic_size;
	bool own_input; /* the decoder calls refill() itself */
	int (*open)(struct unpack *u, size_t memory, struct err *err);
	unpack_step *step;
	void (*close)(struct unpack *u);
};

/* Fill in[] if it is empty; at the end of the input, left remains 0. */
static int refill(struct unpack *u, struct err *err)
{
	size_t n = (size_t)MIN(u->w.size - u->pos, sizeof u->in);
	int rc;

	if (u->left || n == 0)
		return 0;
	rc = window_read(&u->w, u->in, n, u->pos, err);
	if (rc < 0)
		return rc;
	u->pos += n;
	u->next = u->in;
	u->left = n;
	return 0;
}

static void consumed(struct unpack *u, size_t left)
{
	u->next += u->left - left;
	u->left = left;
}

static int plain_open(struct unpack *u, size_t memory, struct err *err)
{
	return 0;
}

static int plain_step(struct unpack *u, uint8_t *to, size_t n, size_t *got, struct err *err)
{
	size_t m = MIN(n, u->left);

	memcpy(to, u->next, m);
	consumed(u, u->left - m);
	*got = m;
	return m == 0;
}

static void plain_close(struct unpack *u)
{
}

static int gzip_open(struct unpack *u, size_t memory, struct err *err)
{
	if (inflateInit2(&u->state.z, 15 + 16) != Z_OK)
		return err_set(err, ERR_LIMIT, "gzip: cannot initialize");
	return 0;
}

static int gzip_step(struct unpack *u, uint8_t *to, size_t n, size_t *got, struct err *err)
{
	z_stream *z = &u->state.z;
	int rc;

	z->next_in = (Bytef *)(uintptr_t)u->next;
	z->avail_in = (uInt)u->left;
	z->next_out = to;
	z->avail_out = (uInt)n;
	rc = inflate(z, Z_NO_FLUSH);
	consumed(u, z->avail_in);
	*got = n - z->avail_out;
	if (rc == Z_STREAM_END)
		return 1;
	if (rc != Z_OK)
		return err_set(err, ERR_FORMAT, "gzip: %s",
		               z->msg ? z->msg : "damaged or truncated");
	return 0;
}

static void gzip_close(struct unpack *u)
{
	inflateEnd(&u->state.z);
}

static int lzma_open_result(lzma_ret rc, const char *name, struct err *err)
{
	return rc == LZMA_OK ? 0 : err_set(err, ERR_LIMIT, "%s: cannot initialize", name);
}

static int xz_open(struct unpack *u, size_t memory, struct err *err)
{
	return lzma_open_result(lzma_stream_decoder(&u->state.lzma, memory, 0), "xz", err);
}

static int lzma_open(struct unpack *u, size_t memory, struct err *err)
{
	return lzma_open_result(lzma_alone_decoder(&u->state.lzma, memory), "lzma", err);
}

static int lzma_step(struct unpack *u, uint8_t *to, size_t n, size_t *got, struct err *err)
{
	const char *name = u->packing->name;
	lzma_stream *s = &u->state.lzma;
	lzma_ret rc;

	s->next_in = u->next;
	s->avail_in = u->left;
	s->next_out = to;
	s->avail_out = n;
	rc = lzma_code(s, LZMA_RUN);
	consumed(u, s->avail_in);
	*got = n - s->avail_out;
	switch (rc) {
	case LZMA_OK:
		return 0;
	case LZMA_STREAM_END:
		return 1;
	case LZMA_MEMLIMIT_ERROR:
		return err_set(err, ERR_LIMIT,
		               "%s: needs %" PRIu64 " bytes of memory, more than the limit", name,
		               lzma_memusage(s));
	case LZMA_MEM_ERROR:
		return err_set(err, ERR_LIMIT, "%s: out of memory", name);
	default:
		return err_set(err, ERR_FORMAT, "%s: damaged or truncated", name);
	}
}

static void lzma_close(struct unpack *u)
{
	lzma_end(&u->state.lzma);
}

static int zstd_open(struct unpack *u, size_t memory, struct err *err)
{
	unsigned log = 10;

	u->state.zstd = ZSTD_createDStream();
	if (!u->state.zstd)
		return err_set(err, ERR_LIMIT, "zstd: cannot initialize");
	while (log < 30 && (size_t)2 << log <= memory)
		log++;
	(void)ZSTD_DCtx_setParameter(u->state.zstd, ZSTD_d_windowLogMax, (int)log);
	return 0;
}

static int zstd_step(struct unpack *u, uint8_t *to, size_t n, size_t *got, struct err *err)
{
	ZSTD_inBuffer in = {u->next, u->left, 0};
	ZSTD_outBuffer out = {to, n, 0};
	size_t rc = ZSTD_decompressStream(u->state.zstd, &out, &in);

	consumed(u, in.size - in.pos);
	*got = out.pos;
	if (ZSTD_isError(rc))
		return err_set(err, ERR_FORMAT, "zstd: %s", ZSTD_getErrorName(rc));
	/* 0: the end of a frame. A kernel has one; its length follows it. */
	return rc == 0;
}

static void zstd_close(struct unpack *u)
{
	ZSTD_freeDStream(u->state.zstd);
}

struct lz4_state {
	struct unlz4_input in; /* first: unlz4.c has a pointer to it */
	struct unpack *u;
	struct unlz4 z;
};

static bool lz4_fill(struct unlz4_input *in)
{
	struct unpack *u = ((struct lz4_state *)in)->u;
	struct err unused = ERR_INIT;

	u->left = 0;
	if (refill(u, &unused) < 0 || !u->left)
		return false;
	in->next = u->next;
	in->end = u->next + u->left;
	return true;
}

static int lz4_open(struct unpack *u, size_t memory, struct err *err)
{
	struct lz4_state *s = xmalloc(sizeof *s);

	s->in = (struct unlz4_input){.fill = lz4_fill};
	s->u = u;
	unlz4_init(&s->z, &s->in);
	u->state.lz4 = s;
	u->pos = LZ4_MAGIC_SIZE;
	return 0;
}

static int lz4_step(struct unpack *u, uint8_t *to, size_t n, size_t *got, struct err *err)
{
	return unlz4_read(&u->state.lz4->z, to, n, got, err);
}

static void lz4_close(struct unpack *u)
{
	free(u->state.lz4);
}

static const struct packing packings[] = {
        {UNPACK_NONE, "none", "\177ELF", 4, false, plain_open, plain_step, plain_close},
        {UNPACK_GZIP, "gzip", "\x1f\x8b", 2, false, gzip_open, gzip_step, gzip_close},
        {UNPACK_BZIP2, "bzip2", "BZh", 3, false, NULL, NULL, NULL},
        {UNPACK_XZ, "xz", "\xfd\x37\x7a\x58\x5a\x00", 6, false, xz_open, lzma_step, lzma_close},
        {UNPACK_LZMA, "lzma", "\x5d\x00", 2, false, lzma_open, lzma_step, lzma_close},
        {UNPACK_LZO, "lzo", "\x89\x4c\x5a\x4f\x00", 5, false, NULL, NULL, NULL},
        {UNPACK_LZ4, "lz4", "\x02\x21\x4c\x18", 4, true, lz4_open, lz4_step, lz4_close},
        {UNPACK_ZSTD, "zstd", "\x28\xb5\x2f\xfd", 4, false, zstd_open, zstd_step, zstd_close},
};

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
	int rc;

	for (size_t i = 0; i < ARRAY_LEN(packings); i++)
		if (packings[i].kind == kind)
			p = &packings[i];
	if (!p || !p->open)
		return err_set(err, ERR_UNSUPPORTED, "unsupported compression: %s",
		               unpack_name(kind));
	u = xcalloc(1, sizeof *u);
	u->packing = p;
	u->w = *w;
	rc = p->open(u, memory, err);
	if (rc < 0) {
		free(u);
		return rc;
	}
	*out = u;
	return 0;
}

void unpack_free(struct unpack *u)
{
	if (!u)
		return;
	u->packing->close(u);
	free(u);
}

void unpack_freep(struct unpack **u)
{
	unpack_free(*u);
}

int unpack_read(struct unpack *u, void *p, size_t n, size_t *got, struct err *err)
{
	size_t done = 0;

	while (done < n && !u->end) {
		bool input_ended;
		size_t m = 0;
		int rc = u->packing->own_input ? 0 : refill(u, err);

		if (rc < 0)
			return rc;
		input_ended = u->left == 0; /* of lz4: always, for it gives or fails */
		rc = u->packing->step(u, (uint8_t *)p + done, n - done, &m, err);
		if (rc < 0)
			return rc;
		done += m;
		u->end = rc == 1;
		/* No more input and no output: the stream is truncated. */
		if (rc == 0 && m == 0 && input_ended)
			return err_set(err, ERR_FORMAT, "%s: truncated", u->packing->name);
	}
	*got = done;
	return 0;
}

uint64_t unpack_used(const struct unpack *u)
{
	if (u->packing->kind == UNPACK_LZ4)
		return u->pos - (uint64_t)(u->state.lz4->in.end - u->state.lz4->in.next);
	return u->pos - u->left;
}
