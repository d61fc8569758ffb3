/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/test/test.h"
#include "cache/unpacker.h"

#define TEXT_SIZE 5000000u
#define FAIL_AT 300000u

static char text[TEXT_SIZE];
static struct unpacker *unpacker;

/* A source that gives pieces of some size, and fails at an offset. */
struct source {
	struct stream stream;
	struct str bytes;
	size_t piece, fail_at, pos;
};

static int source_read(struct stream *stream, void *p, size_t n, size_t *got, struct err *err)
{
	struct source *s = (struct source *)stream;

	if (s->fail_at && s->pos >= s->fail_at)
		return err_set(err, ERR_IO, "the source failed");
	*got = MIN(MIN(n, s->piece), s->bytes.n - s->pos);
	memcpy(p, s->bytes.p + s->pos, *got);
	s->pos += *got;
	return 0;
}

static void pack(const char *how, struct buf *out)
{
	uLongf n = compressBound(TEXT_SIZE) + 1000;
	z_stream z = {.next_in = (Bytef *)text, .avail_in = TEXT_SIZE};

	if (strcmp(how, "none") == 0) {
		buf_put(out, text, TEXT_SIZE);
		return;
	}
	buf_zeros(out, n);
	if (strcmp(how, "zstd") == 0) {
		out->n = ZSTD_compress(out->p, n, text, TEXT_SIZE, 1);
		return;
	}
	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = (Bytef *)out->p;
	z.avail_out = (uInt)n;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->n = z.total_out;
	deflateEnd(&z);
}

/* All of it, into *out. */
static int unpack(const char *how, struct source s, size_t piece, struct buf *out, struct err *err)
{
	struct unpacking *u = unpacking_new(unpacker, str_from(how), &s.stream);
	size_t got = 1;
	int rc = 0;

	s.stream.read = source_read;
	while (rc == 0 && got) {
		size_t n = out->n;

		buf_zeros(out, piece);
		rc = stream_read(unpacking_stream(u), out->p + n, piece, &got, err);
		out->n = n + (rc == 0 ? got : 0);
	}
	unpacking_free(u);
	return rc;
}

static const char *const ways[] = {"none", "gzip", "zstd"};

static void text_comes_back(void **state)
{
	static const size_t pieces[] = {1000, 100000, 700001};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ways) * ARRAY_LEN(pieces); i++) {
		const char *how = ways[i % ARRAY_LEN(ways)];
		size_t piece = pieces[i / ARRAY_LEN(ways)];
		_cleanup_(buf_fini) struct buf packed = BUF_INIT, out = BUF_INIT;

		pack(how, &packed);
		assert_int_equal(unpack(how,
		                        (struct source){.bytes = buf_str(&packed), .piece = piece},
		                        piece, &out, &err),
		                 0);
		assert_int_equal(out.n, TEXT_SIZE);
		assert_memory_equal(out.p, text, TEXT_SIZE);
	}
}

static void errors(void **state)
{
	_cleanup_(buf_fini) struct buf packed = BUF_INIT, out = BUF_INIT;
	struct source s = {.piece = 50000};
	struct err err = ERR_INIT;

	(void)state;
	pack("zstd", &packed);
	s.bytes = (struct str){packed.p, packed.n - 1};
	assert_int_equal(unpack("zstd", s, 70000, &out, &err), -ERR_FORMAT);
	assert_string_equal(err.text, "the zstd data is truncated");
	s.bytes = (struct str){"anything", 8};
	assert_int_equal(unpack("unheard", s, 70000, &out, &err), -ERR_UNSUPPORTED);
	s.bytes = buf_str(&packed);
	s.fail_at = FAIL_AT;
	assert_int_equal(unpack("zstd", s, 70000, &out, &err), -ERR_IO);
	assert_string_equal(err.text, "the source failed");
	buf_reset(&packed);
	pack("gzip", &packed);
	packed.p[packed.n - 5] ^= 0x55; /* of the checksum */
	s = (struct source){.bytes = buf_str(&packed), .piece = 50000};
	assert_int_equal(unpack("gzip", s, 70000, &out, &err), -ERR_FORMAT);
	assert_string_equal(err.text, "the gzip data is damaged");
}

/* More streams than lines, each begun and dropped, then one that is read. */
static void streams_are_dropped(void **state)
{
	_cleanup_(buf_fini) struct buf packed = BUF_INIT, out = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	pack("gzip", &packed);
	for (size_t i = 0; i < 3 * UNPACKER_LINES; i++) {
		struct source s = {{source_read}, buf_str(&packed), .piece = 40000};
		struct unpacking *u = unpacking_new(unpacker, STR("gzip"), &s.stream);
		char some[100];
		size_t got;

		if (i % 3)
			assert_int_equal(
			        stream_read(unpacking_stream(u), some, sizeof some, &got, &err), 0);
		unpacking_free(u);
	}
	assert_int_equal(unpack("gzip", (struct source){.bytes = buf_str(&packed), .piece = 40000},
	                        9999, &out, &err),
	                 0);
	assert_memory_equal(out.p, text, TEXT_SIZE);
}

static int job(void *ctx, unsigned worker, size_t i, struct err *err)
{
	const struct buf *packed = ctx;
	_cleanup_(buf_fini) struct buf out = BUF_INIT;
	struct source s = {.bytes = buf_str(&packed[i % ARRAY_LEN(ways)]), .piece = 60000};
	int rc = unpack(ways[i % ARRAY_LEN(ways)], s, 50000, &out, err);

	if (rc == 0 && (out.n != TEXT_SIZE || memcmp(out.p, text, TEXT_SIZE) != 0))
		rc = err_set(err, ERR_MISMATCH, "stream %zu differs", i);
	return rc;
}

static void many_threads(void **state)
{
	struct buf packed[ARRAY_LEN(ways)] = {BUF_INIT, BUF_INIT, BUF_INIT};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		pack(ways[i], &packed[i]);
	if (pool_run(16, 60, job, packed, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		buf_fini(&packed[i]);
}

#define DIGEST "svfh75w9qw83dga83f4n1sm5lmhnwl7c"

static void texts(void **state)
{
	_cleanup_(buf_fini) struct buf bytes = BUF_INIT, more = BUF_INIT, big = BUF_INIT;
	struct narinfo n;
	struct cache_info info;
	struct err err = ERR_INIT;

	assert_ok(unpacker_cache_info(unpacker, STR("StoreDir: /nix/store\nPriority: 7\n"), &info,
	                              &err),
	          &err);
	assert_int_equal(info.priority, 7);
	assert_int_equal(unpacker_cache_info(unpacker, STR("StoreDir: /gnu\n"), &info, &err),
	                 -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.text, "/gnu"));
	assert_ok(unpacker_narinfo(unpacker,
	                           STR("StorePath: /nix/store/" DIGEST
	                               "-top\nURL: nar/x\nNarSize: 9\n"
	                               "NarHash: sha256:"
	                               "1q0k7d48v5pxfks00c8wmp122w9map2r5xsfm0fiakrvyhz1gdmf\n"),
	                           STR(DIGEST), &bytes, &n, &err),
	          &err);
	assert_true(str_is(n.compression, "bzip2") && str_is(n.path.name, "top"));
	assert_int_equal(n.nar_size, 9);
	narinfo_fini(&n);
	assert_int_equal(unpacker_narinfo(unpacker, STR("URL: /x\n"), STR(DIGEST), &more, &n, &err),
	                 -ERR_FORMAT);
	assert_non_null(strstr(err.text, "leads out of the cache"));
	buf_zeros(&big, NARINFO_BYTES_MAX + 1);
	assert_int_equal(unpacker_narinfo(unpacker, buf_str(&big), STR(DIGEST), &more, &n, &err),
	                 -ERR_LIMIT);
}

static int begin(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	/* Half of it repeats itself. */
	for (size_t i = 0; i < TEXT_SIZE; i++)
		text[i] = (char)(i / 4096 % 2 ? rand() : (int)(i % 97));
	return unpacker_start(&unpacker, &err);
}

static int end(void **state)
{
	(void)state;
	unpacker_free(unpacker);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(text_comes_back),
	        cmocka_unit_test(errors),
	        cmocka_unit_test(streams_are_dropped),
	        cmocka_unit_test(many_threads),
	        cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
