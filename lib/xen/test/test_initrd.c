/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "xen/initrd.h"

static void put_entry(struct buf *b, const char *name, const char *data)
{
	size_t n = strlen(data), start = b->n;

	buf_putf(b, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 1, 0100644, 0,
	         0, 1, 0, n, 0, 0, 0, 0, strlen(name) + 1, 0);
	buf_put(b, name, strlen(name) + 1);
	buf_zeros(b, (4 - (b->n - start) % 4) % 4);
	buf_put(b, data, n);
	buf_zeros(b, (4 - n % 4) % 4);
}

static void put_archive(struct buf *b, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_entry(b, names[i], "data of some length");
	put_entry(b, "TRAILER!!!", "");
}

static void put_gzip(struct buf *out, const struct buf *in)
{
	uint8_t packed[16384];
	z_stream z = {.next_in = (Bytef *)in->p,
	              .avail_in = (uInt)in->n,
	              .next_out = packed,
	              .avail_out = sizeof packed};

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	buf_put(out, packed, sizeof packed - z.avail_out);
	deflateEnd(&z);
}

static int take_name(void *arg, struct str name, uint32_t mode, uint64_t size)
{
	buf_putf(arg, "%.*s;", STR_ARG(name));
	return 0;
}

static int list(const struct buf *b, const struct initrd_limits *limits, struct buf *names,
                struct initrd_info *info, struct err *err)
{
	struct source_mem src;
	struct window w;

	source_mem_init(&src, buf_str(b).p, b->n);
	w = window_over(&src.src, b->n, "initrd");
	buf_reset(names);
	return initrd_list(&w, limits, take_name, names, info, err);
}

static const char *const early[] = {"kernel/x86/microcode"};
static const char *const files[] = {".", "init", "lib/xen-blkfront.ko"};

/* Microcode, padding, a compressed archive, and another one appended. */
static void lists(void **state)
{
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	_cleanup_(buf_fini) struct buf inner = BUF_INIT;
	_cleanup_(buf_fini) struct buf names = BUF_INIT;
	struct err err = ERR_INIT;
	struct initrd_info info;

	put_archive(&b, early, 1);
	buf_zeros(&b, 515 - b.n % 512);
	put_archive(&inner, files, 3);
	buf_zeros(&inner, 509);
	put_gzip(&b, &inner);
	buf_zeros(&b, 3);
	put_gzip(&b, &inner);
	buf_zeros(&b, 2);
	assert_ok(list(&b, NULL, &names, &info, &err), &err);
	assert_string_equal(names.p, "kernel/x86/microcode;.;init;lib/xen-blkfront.ko;"
	                             ".;init;lib/xen-blkfront.ko;");
	assert_int_equal(info.archives, 3);
	assert_int_equal(info.packing, UNPACK_GZIP);
}

static void refuses(void **state)
{
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	_cleanup_(buf_fini) struct buf names = BUF_INIT;
	struct initrd_limits small = {1 << 20, 1 << 20, 2};
	struct err err = ERR_INIT;
	struct initrd_info info;

	put_archive(&b, files, 3);
	assert_fails(list(&b, &small, &names, &info, &err), &err, ERR_LIMIT, "more than 2 files");
	small.entries = 10;
	small.unpacked = 200;
	assert_fails(list(&b, &small, &names, &info, &err), &err, ERR_LIMIT, "when decompressed");
	for (size_t n = 1; n < b.n; n++) {
		struct buf cut = {b.p, n, n};

		assert_true(list(&cut, NULL, &names, &info, &err) <= 0);
		assert_true(info.entries <= 4);
	}
	b.n = 150;
	assert_fails(list(&b, NULL, &names, &info, &err), &err, ERR_FORMAT, "truncated");
	memset(b.p + 94, 'f', 8);
	assert_fails(list(&b, NULL, &names, &info, &err), &err, ERR_FORMAT,
	             "name of 4294967295 bytes");
	memset(b.p + 94, 'x', 8);
	assert_fails(list(&b, NULL, &names, &info, &err), &err, ERR_FORMAT, "no cpio header");
	buf_reset(&b);
	buf_puts(&b, "BZh9 and more than sixteen bytes");
	assert_fails(list(&b, NULL, &names, &info, &err), &err, ERR_UNSUPPORTED, "bzip2");
	buf_reset(&b);
	buf_puts(&b, "what is this");
	assert_fails(list(&b, NULL, &names, &info, &err), &err, ERR_FORMAT,
	             "neither a cpio archive");
}

static void names_modules(void **state)
{
	char name[64];

	assert_true(initrd_module(STR("nix/store/x/lib/xen-blkfront.ko.xz"), name));
	assert_string_equal(name, "xen_blkfront");
	assert_true(initrd_module(STR("ext4.ko"), name));
	assert_string_equal(name, "ext4");
	assert_false(initrd_module(STR("lib/.ko"), name));
	assert_false(initrd_module(STR("lib/x.ko/y"), name));
	assert_false(initrd_module(STR(""), name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(lists),
	        cmocka_unit_test(refuses),
	        cmocka_unit_test(names_modules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
