/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/test/test.h"

static void sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t want;
	} good[] = {
	        {"0", 0},
	        {"512", 512},
	        {"1K", 1024},
	        {"10g", 10ull << 30},
	        {"3MiB", 3ull << 20},
	        {"8T", 8ull << 40},
	        {"9223372036854775807", INT64_MAX},
	        {"10Gb", 10ull << 30}, /* as xen-tools users write it */
	        {"128Mb", 128ull << 20},
	        {"4GB", 4ull << 30},
	        {"2gib", 2ull << 30},
	        {"1.5G", 3ull << 29},
	        {"0.25k", 256},
	        {"1.000001T", (1ull << 40) + 1099511},
	        {"8388607.999999T", (uint64_t)INT64_MAX - 1099511},
	};
	static const char *const bad[] = {
	        "",         "K",          "1X",   "-1",
	        "1.5",      " 1",         "1 K",  "9223372036854775808",
	        "8388608T", "1KK",        "1.G",  ".5G",
	        "1.5.5G",   "1.0000001G", "1,5G", "G",
	        "b",        "1b",         "1iB",  "1Kbb",
	        "1.-5G",
	};
	uint64_t v;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(str_size(str_from(good[i].text), &v));
		assert_int_equal(v, good[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(str_size(str_from(bad[i]), &v));
}

static void numbers(void **state)
{
	uint64_t v;

	assert_true(str_u64(STR("18446744073709551615"), 10, UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_false(str_u64(STR("18446744073709551616"), 10, UINT64_MAX, &v));
	assert_true(str_u64(STR("ff"), 16, 255, &v));
	assert_false(str_u64(STR("100"), 16, 255, &v));
	assert_false(str_u64(STR("8"), 8, 100, &v));
	assert_false(str_u64(STR("9"), 10, 8, &v));
}

static void bases(void **state)
{
	assert_string_equal(str_base("a"), "a");
	assert_string_equal(str_base("/a/b.c"), "b.c");
	assert_string_equal(str_base("a/"), "");
}

static void cutting(void **state)
{
	struct str rest = STR("a::b"), s;

	s = str_cut(&rest, ':');
	assert_true(str_is(s, "a"));
	s = str_cut(&rest, ':');
	assert_int_equal(s.n, 0);
	s = str_cut(&rest, ':');
	assert_true(str_is(s, "b"));
	assert_null(rest.p);
	assert_true(str_cmp(STR("a"), STR("ab")) < 0);
	assert_true(str_cmp(STR("b"), STR("ab")) > 0);
	assert_true(str_is(str_trim(STR(" \tx y\n")), "x y"));
	assert_true(str_is_nocase(STR("Label"), "LABEL") && str_is_nocase(STR(""), ""));
	assert_false(str_is_nocase(STR("Label"), "LABELS"));
	assert_false(str_is_nocase((struct str){"a\0b", 3}, "A"));
	assert_false(str_is_nocase((struct str){NULL, 0}, "a"));
}

static struct str itself(const void *word)
{
	return str_from(*(const char *const *)word);
}

static void places(void **state)
{
	static const char *const words[] = {"a", "ab", "b", "ba", "c"};
	static const struct {
		const char *word;
		size_t at;
		bool found;
	} cases[] = {
	        {"", 0, false},   {"a", 0, true}, {"aa", 1, false},
	        {"ab", 1, true},  {"b", 2, true}, {"ba", 3, true},
	        {"bb", 4, false}, {"c", 4, true}, {"ca", 5, false},
	};
	bool found = true;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t at = str_place(words, ARRAY_LEN(words), sizeof *words, itself,
		                      str_from(cases[i].word), &found);

		assert_int_equal(at, cases[i].at);
		assert_int_equal(found, cases[i].found);
	}
	assert_int_equal(str_place(NULL, 0, sizeof *words, itself, STR("a"), &found), 0);
	assert_false(found);
}

static void escaping(void **state)
{
	struct buf out = BUF_INIT;

	str_escape(&out, STR("a\x1b[0m\\\n\xc3\xa9"));
	assert_string_equal(out.p, "a\\x1b[0m\\x5c\\x0a\\xc3\\xa9");
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sizes), cmocka_unit_test(numbers), cmocka_unit_test(cutting),
	        cmocka_unit_test(bases), cmocka_unit_test(places),  cmocka_unit_test(escaping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
