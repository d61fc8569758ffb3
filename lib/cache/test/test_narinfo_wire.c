/* SPDX-License-Identifier: MIT */
/* A narinfo's fields between two processes. */
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "cache/narinfo_wire.h"

#define TOP "svfh75w9qw83dga83f4n1sm5lmhnwl7c"
#define OTHER "9xhdf7mi5294qx6vrv6r40nrwjxk9qid"
#define TEXT                                                                                       \
	"StorePath: /nix/store/" TOP "-top\nURL: nar/x.nar.xz\nCompression: xz\n"                  \
	"FileHash: sha256:0h0794rvzhf8xpmh5bmrpbxhjrai1p8xmsq2icyzjgisv3sqbjwh\nFileSize: 212\n"   \
	"NarHash: sha256:1q0k7d48v5pxfks00c8wmp122w9map2r5xsfm0fiakrvyhz1gdmf\nNarSize: 216\n"     \
	"References: " OTHER "-linked " TOP "-top\nSig: a:YQ==\nSig: b:Yg==\n"                     \
	"Deriver: " OTHER "-top.drv\n"                                                             \
	"CA: fixed:r:sha256:1q0k7d48v5pxfks00c8wmp122w9map2r5xsfm0fiakrvyhz1gdmf\n"

/* A narinfo, for narinfo_fini(). */
static struct narinfo sample(void)
{
	struct narinfo n;
	struct err err = ERR_INIT;

	assert_ok(narinfo_parse(STR(TEXT), STR(TOP), &n, &err), &err);
	return n;
}

static void comes_back(void **state)
{
	_cleanup_(buf_fini) struct buf bytes = BUF_INIT, again = BUF_INIT;
	_cleanup_(narinfo_fini) struct narinfo n = sample(), got = {0};
	struct err err = ERR_INIT;

	narinfo_put(&n, &bytes);
	assert_ok(narinfo_get(buf_str(&bytes), STR(TOP), &got, &err), &err);
	assert_true(str_is(got.path.base, TOP "-top") && str_is(got.path.digest, TOP) &&
	            str_is(got.path.name, "top"));
	assert_true(str_is(got.url, "nar/x.nar.xz") && str_is(got.compression, "xz"));
	assert_int_equal(got.file_size, 212);
	assert_int_equal(got.nar_size, 216);
	assert_int_equal(got.nrefs, 2);
	assert_int_equal(got.nsigs, 2);
	assert_true(str_is(got.sigs[1], "b:Yg==") && str_is(got.refs[0], OTHER "-linked"));
	narinfo_put(&got, &again);
	assert_int_equal(again.n, bytes.n);
	assert_memory_equal(again.p, bytes.p, bytes.n);
}

static void other_path(struct narinfo *n)
{
	n->path.base = STR(OTHER "-top");
}

static void no_base_name(struct narinfo *n)
{
	n->path.base = STR(TOP "-top/..");
}

static void url_out(struct narinfo *n)
{
	n->url = STR("nar/../../x");
}

static void url_escape(struct narinfo *n)
{
	n->url = STR("nar/\033[2J");
}

static void no_compression(struct narinfo *n)
{
	n->compression = STR("");
}

static void size_zero(struct narinfo *n)
{
	n->nar_size = 0;
}

static void size_huge(struct narinfo *n)
{
	n->nar_size = NARINFO_NAR_MAX + 1;
}

static void file_huge(struct narinfo *n)
{
	n->file_size = narinfo_file_max(n->nar_size) + 1;
}

static void refs_swapped(struct narinfo *n)
{
	struct str first = n->refs[0];

	n->refs[0] = n->refs[1];
	n->refs[1] = first;
}

static void refs_twice(struct narinfo *n)
{
	n->refs[1] = n->refs[0];
}

static void ref_bad(struct narinfo *n)
{
	n->refs[1] = STR("z");
}

static void deriver_bad(struct narinfo *n)
{
	n->deriver = STR("unknown-deriver");
}

static void sig_twice(struct narinfo *n)
{
	n->sigs[1] = n->sigs[0];
}

static void sig_blank(struct narinfo *n)
{
	n->sigs[0] = STR("a:b c");
}

static void sig_line(struct narinfo *n)
{
	n->sigs[0] = STR("a:b\nc");
}

static void ca_bad(struct narinfo *n)
{
	n->ca = STR("fixed");
}

static void refused(void **state)
{
	static void (*const change[])(struct narinfo *) = {
	        other_path, no_base_name, url_out,      url_escape, no_compression, size_zero,
	        size_huge,  file_huge,    refs_swapped, refs_twice, ref_bad,        deriver_bad,
	        sig_twice,  sig_blank,    sig_line,     ca_bad};

	for (size_t i = 0; i < ARRAY_LEN(change); i++) {
		_cleanup_(buf_fini) struct buf bytes = BUF_INIT;
		_cleanup_(narinfo_fini) struct narinfo n = sample(), got = {0};
		struct err err = ERR_INIT;

		change[i](&n);
		narinfo_put(&n, &bytes);
		if (narinfo_get(buf_str(&bytes), STR(TOP), &got, &err) != -ERR_CHILD)
			fail_msg("change %zu is accepted", i);
	}
}

static void cut_off(void **state)
{
	_cleanup_(buf_fini) struct buf bytes = BUF_INIT;
	_cleanup_(narinfo_fini) struct narinfo n = sample(), got = {0};
	struct err err = ERR_INIT;

	narinfo_put(&n, &bytes);
	for (size_t size = 0; size < bytes.n; size++)
		assert_int_equal(narinfo_get((struct str){bytes.p, size}, STR(TOP), &got, &err),
		                 -ERR_CHILD);
	buf_u8(&bytes, 0);
	assert_int_equal(narinfo_get(buf_str(&bytes), STR(TOP), &got, &err), -ERR_CHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(comes_back),
	        cmocka_unit_test(refused),
	        cmocka_unit_test(cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
