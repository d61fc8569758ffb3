/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "xen/handoff.h"

/* What pygrub of Xen 4.17 printed for the same texts. */
static void as_pygrub(void **state)
{
	static const struct {
		enum handoff_format format;
		struct handoff in;
		const char *want;
		size_t n; /* 0: as long as the text */
	} table[] = {
	        {HANDOFF_SXP,
	         {"/o/k", "/o/r", "a b"},
	         "linux (kernel '/o/k')(ramdisk '/o/r')(args 'a b')",
	         0},
	        {HANDOFF_SXP, {"/o/k", NULL, ""}, "linux (kernel '/o/k')", 0},
	        {HANDOFF_SXP, {NULL, NULL, "x"}, "linux (kernel None)(args 'x')", 0},
	        {HANDOFF_SXP, {"k", "", "it's"}, "linux (kernel 'k')(args \"it's\")", 0},
	        {HANDOFF_SXP, {"k", "", "say \"x\""}, "linux (kernel 'k')(args 'say \"x\"')", 0},
	        {HANDOFF_SXP,
	         {"k", "", "a=\"it's\" 'q'"},
	         "linux (kernel 'k')(args 'a=\"it\\'s\" \\'q\\'')",
	         0},
	        {HANDOFF_SXP,
	         {"k", "", "a\\b\tc\xc3\xa9\x1b"},
	         "linux (kernel 'k')(args 'a\\\\b\\tc\xc3\xa9\\x1b')",
	         0},
	        {HANDOFF_SIMPLE, {"k", "r", "a b"}, "kernel k\nramdisk r\nargs a b\n\n", 0},
	        {HANDOFF_SIMPLE0, {"k", "r", "a"}, "kernel k\0ramdisk r\0args a\0", 27},
	        {HANDOFF_SIMPLE0, {NULL, NULL, "a"}, "kernel None\0args a\0", 20},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct buf out = BUF_INIT;
		struct err err = ERR_INIT;
		size_t n = table[i].n ? table[i].n : strlen(table[i].want);

		assert_ok(handoff_put(&table[i].in, table[i].format, &out, &err), &err);
		assert_int_equal(out.n, n);
		assert_memory_equal(out.p, table[i].want, n);
		buf_fini(&out);
	}
}

static void refused(void **state)
{
	char args[8200];
	struct handoff h = {"k", NULL, args};
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	memset(args, 'x', sizeof args);
	args[8191 - 5] = '\0';
	assert_ok(handoff_put(&h, HANDOFF_SIMPLE0, &out, &err), &err);
	args[8191 - 5] = 'x';
	args[8192 - 5] = '\0';
	assert_fails(handoff_put(&h, HANDOFF_SIMPLE0, &out, &err), &err, ERR_LIMIT,
	             "args: 8192 bytes; libxl accepts at most 8191");
	for (enum handoff_format f = HANDOFF_SXP; f <= HANDOFF_SIMPLE0; f++) {
		h = (struct handoff){"k", "r\nkernel /etc/shadow", ""};
		assert_fails(handoff_put(&h, f, &out, &err), &err, ERR_FORMAT,
		             "ramdisk: contains a newline");
	}
	buf_fini(&out);
}

static void names(void **state)
{
	enum handoff_format f;

	assert_int_equal(handoff_format_parse("simple0", &f), 0);
	assert_int_equal(f, HANDOFF_SIMPLE0);
	assert_int_equal(handoff_format_parse("simpl", &f), 1);
	assert_int_equal(handoff_format_parse("", &f), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(as_pygrub),
	        cmocka_unit_test(refused),
	        cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
