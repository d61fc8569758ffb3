/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cache/decompress.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#define TEXT_SIZE 100000u

static char text[TEXT_SIZE];

/* ---- packing ---------------------------------------------------------------- */

static void pack_zstd(struct buf *out, int window_log)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t room = ZSTD_compressBound(TEXT_SIZE) + 1000;
	char *to = xmalloc(room);
	ZSTD_inBuffer in = {text, TEXT_SIZE, 0};
	ZSTD_outBuffer o = {to, room, 0};

	if (window_log)
		ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window_log);
	/* Flushed first, so that the header has the window and not the size of the contents. */
	assert_false(ZSTD_isError(ZSTD_compressStream2(c, &o, &in, ZSTD_e_flush)));
	assert_int_equal(ZSTD_compressStream2(c, &o, &in, ZSTD_e_end), 0);
	buf_put(out, to, o.pos);
	free(to);
	ZSTD_freeCCtx(c);
}

static void pack_skippable(struct buf *out, uint32_t n)
{
	uint8_t head[8] = {0x5a, 0x2a, 0x4d, 0x18, (uint8_t)n, (uint8_t)(n >> 8), 0, 0};

	buf_put(out, head, sizeof head);
	buf_zeros(out, n);
}

static void pack_lzma(struct buf *out, bool alone, uint32_t dict)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_options_lzma opt;
	lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &opt}, {LZMA_VLI_UNKNOWN, NULL}};
	uint8_t *to = xmalloc(2 * TEXT_SIZE);

	lzma_lzma_preset(&opt, 0);
	if (dict)
		opt.dict_size = dict;
	assert_int_equal(alone ? lzma_alone_encoder(&z, &opt)
	                       : lzma_stream_encoder(&z, filters, LZMA_CHECK_CRC32),
	                 LZMA_OK);
	z.next_in = (const uint8_t *)text;
	z.avail_in = TEXT_SIZE;
	z.next_out = to;
	z.avail_out = (size_t)2 * TEXT_SIZE;
	assert_int_equal(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
	buf_put(out, to, z.total_out);
	lzma_end(&z);
	free(to);
}

static void pack_gzip(struct buf *out)
{
	z_stream z = {0};
	uint8_t *to = xmalloc(2 * TEXT_SIZE);

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (uint8_t *)text;
	z.avail_in = TEXT_SIZE;
	z.next_out = to;
	z.avail_out = 2 * TEXT_SIZE;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	buf_put(out, to, z.total_out);
	deflateEnd(&z);
	free(to);
}

static void pack_bzip2(struct buf *out)
{
	unsigned n = 2 * TEXT_SIZE;
	char *to = xmalloc(n);

	assert_int_equal(BZ2_bzBuffToBuffCompress(to, &n, text, TEXT_SIZE, 1, 0, 0), BZ_OK);
	buf_put(out, to, n);
	free(to);
}

static void pack_lz4(struct buf *out)
{
	size_t room = LZ4F_compressFrameBound(TEXT_SIZE, NULL);
	char *to = xmalloc(room);

	buf_put(out, to, LZ4F_compressFrame(to, room, text, TEXT_SIZE, NULL));
	free(to);
}

static void pack(struct buf *out, const char *how)
{
	if (!strcmp(how, "zstd"))
		pack_zstd(out, 0);
	else if (!strcmp(how, "xz"))
		pack_lzma(out, false, 0);
	else if (!strcmp(how, "lzma"))
		pack_lzma(out, true, 0);
	else if (!strcmp(how, "gzip"))
		pack_gzip(out);
	else if (!strcmp(how, "bzip2"))
		pack_bzip2(out);
	else
		pack_lz4(out);
}

/* ---- unpacking -------------------------------------------------------------- */

struct source {
	struct stream stream;
	const struct buf *b;
	size_t at, piece;
};

static int source_read(struct stream *stream, void *p, size_t n, size_t *got, struct err *err)
{
	struct source *s = (struct source *)stream;

	*got = MIN(MIN(n, s->piece), s->b->n - s->at);
	if (*got)
		memcpy(p, s->b->p + s->at, *got);
	s->at += *got;
	return 0;
}

/* Unpack input that arrives in pieces, into out. */
static int unpack_text(const struct buf *b, const char *name, size_t piece, struct buf *out,
                       struct err *err)
{
	struct source s = {{source_read}, b, 0, piece};
	struct decompressor *d = decompress_new(str_from(name), &s.stream);
	char to[4096];
	size_t got;
	int rc;

	do {
		rc = decompress_read(d, to, sizeof to, &got, err);
		if (rc == 0)
			buf_put(out, to, got);
	} while (rc == 0 && got);
	decompress_free(d);
	return rc;
}

/* It unpacks to text, repeated times times, with pieces of any size. */
static void good(const struct buf *b, const char *name, size_t times)
{
	static const size_t pieces[] = {1, 7, 4096, SIZE_MAX};

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		struct buf out = BUF_INIT;
		struct err err = ERR_INIT;

		if (unpack_text(b, name, pieces[i], &out, &err) < 0)
			fail_msg("%s, pieces of %zu: %s", name, pieces[i], err.text);
		assert_int_equal(out.n, times * TEXT_SIZE);
		for (size_t t = 0; t < times; t++)
			assert_memory_equal(out.p + t * TEXT_SIZE, text, TEXT_SIZE);
		buf_fini(&out);
	}
}

static void bad(const struct buf *b, const char *name, int code, const char *says)
{
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(unpack_text(b, name, 4096, &out, &err), -code);
	if (!strstr(err.text, says))
		fail_msg("%s: says %s, not %s", name, err.text, says);
	buf_fini(&out);
}

static const char *const kinds[] = {"zstd", "xz", "lzma", "gzip", "bzip2", "lz4"};

static void test_names(void **state)
{
	static const char *const names[] = {"zst", "rot13", "bzip2", "xz", "", "lzma"};

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct buf b = BUF_INIT;

		pack(&b, kinds[k]);
		good(&b, kinds[k], 1);
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			good(&b, names[i], 1);
		b.n -= 5;
		bad(&b, kinds[k], ERR_FORMAT, "");
		b.n = 10;
		bad(&b, kinds[k], ERR_FORMAT, "");
		buf_fini(&b);
	}
}

static void test_unknown(void **state)
{
	struct buf b = BUF_INIT;

	bad(&b, "rot13", ERR_UNSUPPORTED, "neither its name nor its first bytes");
	bad(&b, "zstd", ERR_FORMAT, "truncated");
	buf_puts(&b, "no compression begins like this");
	bad(&b, "zst", ERR_UNSUPPORTED, "neither its name nor its first bytes");
	bad(&b, "zstd", ERR_FORMAT, "damaged");
	buf_fini(&b);
}

static void test_several(void **state)
{
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct buf b = BUF_INIT;

		if (!strcmp(kinds[k], "lzma")) /* has no end marker */
			continue;
		pack(&b, kinds[k]);
		pack(&b, kinds[k]);
		good(&b, kinds[k], 2);
		buf_puts(&b, "x");
		bad(&b, kinds[k], ERR_FORMAT, "");
		buf_fini(&b);
	}
}

static void test_padding(void **state)
{
	struct buf b = BUF_INIT;

	pack(&b, "xz");
	buf_zeros(&b, 4);
	good(&b, "xz", 1);
	buf_zeros(&b, 400);
	pack(&b, "xz");
	buf_zeros(&b, 8);
	good(&b, "xz", 2);
	buf_zeros(&b, 1);
	bad(&b, "xz", ERR_FORMAT, "");
	buf_fini(&b);
}

static void test_skippable(void **state)
{
	struct buf b = BUF_INIT;

	pack_skippable(&b, 0);
	pack_skippable(&b, 300);
	pack_zstd(&b, 0);
	pack_skippable(&b, 1);
	pack_zstd(&b, 20);
	pack_skippable(&b, 5);
	good(&b, "zstd", 2);
	b.n--;
	bad(&b, "zstd", ERR_FORMAT, "truncated");
	buf_fini(&b);
}

static void test_memory(void **state)
{
	struct buf b = BUF_INIT;

	pack_zstd(&b, 27);
	good(&b, "zstd", 1);
	b.n = 0;
	pack_skippable(&b, 3);
	pack_zstd(&b, 28);
	bad(&b, "zstd", ERR_UNSUPPORTED, "windows of up to 128 MiB");
	b.n = 0;
	pack_lzma(&b, false, 64u << 20);
	good(&b, "xz", 1);
	b.n = 0;
	pack_lzma(&b, false, 128u << 20);
	bad(&b, "xz", ERR_UNSUPPORTED, "dictionaries of up to 64 MiB");
	buf_fini(&b);
}

/* ---- one large window at a time ------------------------------------------------ */

struct reader {
	struct buf b;
	struct source s;
	struct decompressor *d;
	_Atomic int done;
};

static void *read_some(void *arg)
{
	struct reader *r = arg;
	struct err err = ERR_INIT;
	char to[100];
	size_t got;

	assert_int_equal(decompress_read(r->d, to, sizeof to, &got, &err), 0);
	r->done = 1;
	return NULL;
}

static void begin(struct reader *r, size_t piece)
{
	/* After a skippable frame, or with a header in two pieces. */
	if (piece > 100)
		pack_skippable(&r->b, 10);
	pack_zstd(&r->b, 26);
	r->s = (struct source){{source_read}, &r->b, 0, piece};
	r->d = decompress_new(STR("zstd"), &r->s.stream);
}

static void test_turns(void **state)
{
	static const size_t pieces[] = {5, 4096};

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		struct reader a = {.b = BUF_INIT}, b = {.b = BUF_INIT};
		pthread_t thread;

		begin(&a, pieces[i]);
		begin(&b, pieces[i]);
		read_some(&a);
		assert_int_equal(pthread_create(&thread, NULL, read_some, &b), 0);
		usleep(200000);
		assert_int_equal(b.done, 0);
		decompress_free(a.d);
		pthread_join(thread, NULL);
		assert_int_equal(b.done, 1);
		decompress_free(b.d);
		buf_fini(&a.b);
		buf_fini(&b.b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_names),     cmocka_unit_test(test_unknown),
	        cmocka_unit_test(test_several),   cmocka_unit_test(test_padding),
	        cmocka_unit_test(test_skippable), cmocka_unit_test(test_memory),
	        cmocka_unit_test(test_turns),
	};

	for (size_t i = 0; i < TEXT_SIZE; i++)
		text[i] = (char)("abcdefgh"[i % 8] + (i * i >> 9) % 16);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
