/* SPDX-License-Identifier: MIT */
/* LVM2's text; whole volumes are in bin/domgrub/test/volumes.sh. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "disk/lvm_text.h"

/* The items of a text on one line, or "-" where it cannot be read. */
static void show(struct str text, struct buf *out)
{
	struct lvm_item item;
	struct err err;
	int rc;

	while ((rc = lvm_text_next(&text, &item, &err)) == 0) {
		buf_putf(out, "%.*s", STR_ARG(item.key));
		if (item.section) {
			buf_puts(out, "{");
			show(item.body, out);
			buf_puts(out, "}");
		} else {
			buf_putf(out, "=%.*s;", STR_ARG(item.body));
		}
	}
	if (rc < 0)
		buf_puts(out, "!");
}

static void texts(void **state)
{
	static const char *const cases[][2] = {
	        {"", ""},
	        {" # x = {\n", ""},
	        {"a=1", "a=1;"},
	        {"a = 1\tb = -2.5 # c = 3\nc=\"x y\"", "a=1;b=-2.5;c=\"x y\";"},
	        {"a = 'x\"y'", "a='x\"y';"},
	        {"a = \"x\\\"}\" b = 1", "a=\"x\\\"}\";b=1;"},
	        {"a { b = 1 c { } } d = []", "a{b=1;c{}}d=[];"},
	        {"a{ b = [ \"]\", 1, # ]\n 2 ] }", "a{b=[ \"]\", 1, # ]\n 2 ];}"},
	        {"pv0/x-y.z+@: { }", "pv0/x-y.z+@:{}"},
	        {"a {", "!"},
	        {"a { b = 1 ", "!"},
	        {"a }", "!"},
	        {"a = }", "!"},
	        {"a = ", "!"},
	        {"a", "!"},
	        {"= 1", "!"},
	        {"a = [ 1 }", "!"},
	        {"a { b = [ } ]", "!"},
	        {"a = \"x", "!"},
	        {"a = \"x\\", "!"},
	        {"a = \"x\\\"", "!"},
	        {"a = (", "!"},
	        {"\"a\" = 1", "!"},
	        {"a { ( }", "!"},
	        {"a = 1 b { c }", "a=1;b{!}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_fini) struct buf out = BUF_INIT;

		buf_puts(&out, "");
		show(str_from(cases[i][0]), &out);
		assert_string_equal(out.p, cases[i][1]);
	}
}

static void deep(void **state)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct lvm_item item;
	struct err err = ERR_INIT;

	for (size_t n = LVM_TEXT_DEPTH_MAX; n <= LVM_TEXT_DEPTH_MAX + 1; n++) {
		struct str s;

		buf_reset(&text);
		for (size_t i = 0; i < n; i++)
			buf_puts(&text, "a {");
		for (size_t i = 0; i < n; i++)
			buf_puts(&text, "}");
		s = buf_str(&text);
		if (n == LVM_TEXT_DEPTH_MAX)
			assert_ok(lvm_text_next(&s, &item, &err), &err);
		else
			assert_fails(lvm_text_next(&s, &item, &err), &err, ERR_FORMAT,
			             "unexpected text");
	}
}

static void values(void **state)
{
	const struct str text = STR(
	        "n = 12 big = 13 s = \"x y\" e = \"\\\"\" l = [\"A\", 'B' , 7] t { n = 9 } n = 5");
	struct lvm_item item;
	struct str s;
	uint64_t n;

	assert_true(lvm_text_u64(text, "n", 12, &n));
	assert_int_equal(n, 12); /* the first */
	assert_false(lvm_text_u64(text, "big", 12, &n));
	assert_false(lvm_text_u64(text, "s", 12, &n));
	assert_false(lvm_text_u64(text, "t", 12, &n));
	assert_false(lvm_text_u64(text, "none", 12, &n));
	assert_true(lvm_text_string(text, "s", &s));
	assert_true(str_is(s, "x y"));
	assert_false(lvm_text_string(text, "e", &s)); /* LVM2 escapes nothing that we need */
	assert_false(lvm_text_string(text, "n", &s));
	assert_true(lvm_text_has(text, "l", "A"));
	assert_true(lvm_text_has(text, "l", "B"));
	assert_false(lvm_text_has(text, "l", "7"));
	assert_false(lvm_text_has(text, "l", "C"));
	assert_true(lvm_text_find(text, "t", &item));
	assert_true(item.section && lvm_text_u64(item.body, "n", 9, &n));
	assert_int_equal(n, 9);
	assert_false(lvm_text_find(STR("a = ( n = 1"), "n", &item));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(texts),
	        cmocka_unit_test(deep),
	        cmocka_unit_test(values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
