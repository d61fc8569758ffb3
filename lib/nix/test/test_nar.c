/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "nix/nar_hash.h"
#include "nix/test/nar_make.h"

#define HEAD "nix-archive-1 ( type "
#define DIR HEAD "directory "
#define ENTRY(name) "entry ( name " name " node "
#define FILE_A "( type regular contents abc )"

/* The whole walk as text: kind, mode, name, contents. */
static int list(struct str nar, size_t step, bool read, struct buf *out, struct err *err)
{
	struct slow_source src = {.left = nar, .step = step};
	_cleanup_(walk_freep) struct walk *w = nar_walk_new(source_over(&src));
	static const char kinds[] = "fldu";
	struct walk_entry ent;
	char data[100];
	size_t got;
	int rc;

	while ((rc = walk_next(w, &ent, err)) == 0) {
		buf_putf(out, "%c %o %.*s", kinds[ent.kind], ent.mode, STR_ARG(ent.name));
		assert_int_equal(ent.mtime, ent.kind == WALK_UP ? 0 : 1);
		assert_int_equal(ent.uid | ent.gid, 0);
		if (ent.kind == WALK_LINK)
			buf_putf(out, " > %.*s", STR_ARG(ent.target));
		if (ent.kind == WALK_FILE && read) {
			rc = walk_read(w, data, sizeof data, &got, err);
			if (rc < 0)
				return rc;
			buf_putf(out, " %llu:%.*s", (unsigned long long)ent.size, (int)got, data);
		}
		buf_puts(out, "\n");
	}
	assert_int_equal(walk_fd(w), -1);
	return rc == 1 ? 0 : rc;
}

/* Listing must succeed with the same result for pieces of any size. */
static void assert_lists(struct str nar, const char *want)
{
	static const size_t steps[] = {1, 7, 8, 4096, SIZE_MAX};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		_cleanup_(buf_fini) struct buf out = BUF_INIT;

		assert_ok(list(nar, steps[i], true, &out, &err), &err);
		assert_string_equal(buf_str(&out).p, want);
	}
}

static void good(void **state)
{
	static const struct {
		const char *words, *want;
	} rows[] = {
	        {HEAD "regular contents '' )", "f 444  0:\n"},
	        {HEAD "regular executable '' contents abc )", "f 555  3:abc\n"},
	        {HEAD "symlink target /x )", "l 777  > /x\n"},
	        {HEAD "directory )", "d 555 \nu 0 \n"},
	        {DIR ENTRY("a") FILE_A " ) " ENTRY("aa") "( type symlink target . ) ) )",
	         "d 555 \nf 444 a 3:abc\nl 777 aa > .\nu 0 \n"},
	        {DIR ENTRY("d") "( type directory " ENTRY("x") FILE_A " ) ) ) " ENTRY("e") FILE_A
	         " ) )",
	         "d 555 \nd 555 d\nf 444 x 3:abc\nu 0 \nf 444 e 3:abc\nu 0 \n"},
	        {DIR ENTRY("...") FILE_A " ) " ENTRY("\x80\xff") FILE_A " ) )",
	         "d 555 \nf 444 ... 3:abc\nf 444 \x80\xff 3:abc\nu 0 \n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(buf_fini) struct buf nar = BUF_INIT;

		put_words(&nar, rows[i].words);
		assert_lists(buf_str(&nar), rows[i].want);
	}
}

static void bad(void **state)
{
	static const struct {
		const char *words, *want;
	} rows[] = {
	        {"nix-archive-2 ( type regular contents '' )", "found \"nix-archive-2\""},
	        {"nix-archive-1 [", "found \"[\", expected \"(\""},
	        {"nix-archive-1 ( kind", "found \"kind\", expected \"type\""},
	        {HEAD "fifo )", "unknown type \"fifo\""},
	        {HEAD "regular )", "without contents"},
	        {HEAD "regular executable x", "found \"x\", expected \"\""},
	        {HEAD "regular executable '' executable ''", "expected \"contents\""},
	        {HEAD "regular contents abc executable '' )",
	         "found \"executable\", expected \")\""},
	        {HEAD "regular contents abc ) )", "extra bytes"},
	        {HEAD "directory ) x", "extra bytes"},
	        {HEAD "symlink )", "expected \"target\""},
	        {HEAD "symlink target '' )", "empty"},
	        {HEAD "symlink target x x", "expected \")\""},
	        {HEAD "directory contents x )", "found \"contents\", expected"},
	        {DIR "entry name a", "found \"name\", expected \"(\""},
	        {DIR "entry ( node", "found \"node\", expected \"name\""},
	        {DIR "entry ( name a (", "found \"(\", expected \"node\""},
	        {DIR ENTRY("''") FILE_A " ) )", "\"\" is not a file name"},
	        {DIR ENTRY(".") FILE_A " ) )", "\".\" is not a file name"},
	        {DIR ENTRY("..") FILE_A " ) )", "\"..\" is not"},
	        {DIR ENTRY("a/b") FILE_A " ) )", "\"a/b\" is not"},
	        {DIR ENTRY("b") FILE_A " ) " ENTRY("a") FILE_A " ) )", "\"a\" comes after \"b\""},
	        {DIR ENTRY("a") FILE_A " ) " ENTRY("a") FILE_A " ) )", "\"a\" comes after \"a\""},
	        {DIR ENTRY("aa") FILE_A " ) " ENTRY("a") FILE_A " ) )", "ascend"},
	        {DIR ENTRY("\x80") FILE_A " ) " ENTRY("a") FILE_A " ) )", "\"\\x80\""},
	        {DIR ENTRY("a") FILE_A " x )", "found \"x\", expected \")\""},
	        {DIR ENTRY("a") FILE_A " entry", "found \"entry\", expected \")\""},
	        {"nix-archive-1xx ( type", "a keyword has 15 bytes"},
	        {HEAD "regular contents abc", "truncated"},
	        {"", "expected \"nix-archive-1\""},
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(buf_fini) struct buf nar = BUF_INIT, out = BUF_INIT;

		put_words(&nar, rows[i].words);
		assert_fails(list(buf_str(&nar), 5, false, &out, &err), &err, ERR_FORMAT,
		             rows[i].want);
		buf_reset(&out);
		assert_fails(list(buf_str(&nar), SIZE_MAX, true, &out, &err), &err, ERR_FORMAT,
		             rows[i].want);
	}
}

/* Numbers and bytes that are never valid. */
static void bad_bytes(void **state)
{
	static const uint64_t sizes[] = {UINT64_MAX, UINT64_MAX - 7, INT64_MAX, (1ull << 60) + 1};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		_cleanup_(buf_fini) struct buf nar = BUF_INIT, out = BUF_INIT;

		buf_le64(&nar, sizes[i]);
		assert_fails(list(buf_str(&nar), 99, false, &out, &err), &err, ERR_FORMAT,
		             "limit of 13");
		buf_reset(&nar);
		put_words(&nar, HEAD "regular contents");
		buf_le64(&nar, sizes[i]);
		assert_fails(list(buf_str(&nar), 99, false, &out, &err), &err, ERR_FORMAT,
		             "more than the limit");
	}
	_cleanup_(buf_fini) struct buf nar = BUF_INIT, out = BUF_INIT;

	put_words(&nar, HEAD "symlink target");
	put_token(&nar, "a\0b", 3);
	put_words(&nar, ")");
	assert_fails(list(buf_str(&nar), 99, false, &out, &err), &err, ERR_FORMAT, "NUL");
	buf_reset(&nar);
	put_words(&nar, DIR "entry ( name");
	put_token(&nar, "a\0b", 3);
	assert_fails(list(buf_str(&nar), 99, false, &out, &err), &err, ERR_FORMAT, "a\\x00b");
}

static void name_of(struct buf *nar, size_t len)
{
	char name[300];

	memset(name, 'n', sizeof name);
	buf_reset(nar);
	put_words(nar, DIR "entry ( name");
	put_token(nar, name, len);
	put_words(nar, "node " FILE_A " ) )");
}

static void target_of(struct buf *nar, size_t len)
{
	char target[5000];

	memset(target, 't', sizeof target);
	buf_reset(nar);
	put_words(nar, HEAD "symlink target");
	put_token(nar, target, len);
	put_words(nar, ")");
}

/* dirs nested directories, with a file in the innermost. */
static void nest(struct buf *nar, unsigned dirs)
{
	buf_reset(nar);
	put_words(nar, "nix-archive-1");
	for (unsigned i = 0; i < dirs; i++)
		put_words(nar, "( type directory entry ( name d node");
	put_words(nar, FILE_A);
	for (unsigned i = 0; i < dirs; i++)
		put_words(nar, ") )");
}

static void limits(void **state)
{
	_cleanup_(buf_fini) struct buf nar = BUF_INIT, out = BUF_INIT;
	struct err err = ERR_INIT;

	name_of(&nar, WALK_NAME_MAX);
	assert_ok(list(buf_str(&nar), SIZE_MAX, false, &out, &err), &err);
	name_of(&nar, WALK_NAME_MAX + 1);
	assert_fails(list(buf_str(&nar), 9, false, &out, &err), &err, ERR_FORMAT, "256 bytes");
	target_of(&nar, WALK_TARGET_MAX);
	assert_ok(list(buf_str(&nar), 1000, false, &out, &err), &err);
	target_of(&nar, WALK_TARGET_MAX + 1);
	assert_fails(list(buf_str(&nar), 9, false, &out, &err), &err, ERR_FORMAT, "4096 bytes");
	nest(&nar, WALK_DEPTH_MAX - 1);
	assert_ok(list(buf_str(&nar), SIZE_MAX, false, &out, &err), &err);
	nest(&nar, WALK_DEPTH_MAX);
	assert_fails(list(buf_str(&nar), SIZE_MAX, false, &out, &err), &err, ERR_FORMAT,
	             "deeper than 64");
}

static void sample(struct buf *nar)
{
	put_words(nar, DIR ENTRY("a") FILE_A " ) " ENTRY("l") "( type symlink target abcde ) ) )");
}

/* An archive that is truncated anywhere is an error, and so is any nonzero padding byte. */
static void cut_and_padded(void **state)
{
	_cleanup_(buf_fini) struct buf nar = BUF_INIT;
	struct err err = ERR_INIT;
	unsigned pads = 0;

	sample(&nar);
	for (size_t n = 0; n < nar.n; n++) {
		_cleanup_(buf_fini) struct buf out = BUF_INIT;

		assert_fails(list((struct str){nar.p, n}, 64, n & 1, &out, &err), &err, ERR_FORMAT,
		             "truncated");
	}
	for (size_t at = 0; at < nar.n; at += 8) {
		size_t n = get_le64(nar.p + at), end = at + 8 + n;

		for (at += 8 + n; at % 8; at++) {
			_cleanup_(buf_fini) struct buf out = BUF_INIT;

			nar.p[at] = 1;
			assert_fails(list(buf_str(&nar), 64, end & 1, &out, &err), &err, ERR_FORMAT,
			             "padding");
			nar.p[at] = 0;
			pads++;
		}
		at -= 8;
	}
	assert_true(pads > 50);
}

/* Contents larger than the buffer, read completely, partly, or not at all. */
static void big_contents(void **state)
{
	enum { SIZE = 300001 };
	_cleanup_(buf_fini) struct buf nar = BUF_INIT;
	_free_ char *data = xmalloc(SIZE);
	_free_ char *got = xmalloc(SIZE);
	static const size_t reads[] = {0, 1, 65536, 70000, SIZE};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < SIZE; i++)
		data[i] = (char)(i * 31 >> 3);
	put_words(&nar, DIR "entry ( name a node ( type regular contents");
	put_token(&nar, data, SIZE);
	put_words(&nar, ") ) " ENTRY("b") FILE_A " ) )");
	for (size_t i = 0; i < ARRAY_LEN(reads); i++) {
		struct slow_source src = {.left = buf_str(&nar), .step = 50000};
		_cleanup_(walk_freep) struct walk *w = nar_walk_new(source_over(&src));
		struct walk_entry ent;
		size_t n;

		assert_ok(walk_next(w, &ent, &err), &err);
		assert_ok(walk_next(w, &ent, &err), &err);
		assert_int_equal(ent.size, SIZE);
		assert_ok(walk_read(w, got, reads[i], &n, &err), &err);
		assert_int_equal(n, reads[i]);
		assert_memory_equal(got, data, n);
		assert_ok(walk_next(w, &ent, &err), &err);
		assert_true(str_is(ent.name, "b"));
		assert_ok(walk_read(w, got, SIZE, &n, &err), &err);
		assert_int_equal(n, 3);
		assert_ok(walk_read(w, got, SIZE, &n, &err), &err);
		assert_int_equal(n, 0);
		assert_ok(walk_next(w, &ent, &err), &err);
		assert_int_equal(ent.kind, WALK_UP);
		assert_int_equal(walk_next(w, &ent, &err), 1);
		assert_int_equal(walk_next(w, &ent, &err), 1);
	}
}

static int failing_read(struct stream *s, void *p, size_t n, size_t *got, struct err *err)
{
	return err_set(err, ERR_IO, "the wire is cut");
}

static void errors_stick(void **state)
{
	struct stream failing = {failing_read};
	_cleanup_(walk_freep) struct walk *w = nar_walk_new(&failing);
	struct err err = ERR_INIT;
	struct walk_entry ent;
	char c;
	size_t n;

	assert_fails(walk_next(w, &ent, &err), &err, ERR_IO, "the wire is cut");
	assert_fails(walk_next(w, &ent, &err), &err, ERR_FORMAT, "after an error");
	assert_fails(walk_read(w, &c, 1, &n, &err), &err, ERR_FORMAT, "after an error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(good),           cmocka_unit_test(bad),
	        cmocka_unit_test(bad_bytes),      cmocka_unit_test(limits),
	        cmocka_unit_test(cut_and_padded), cmocka_unit_test(big_contents),
	        cmocka_unit_test(errors_stick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
