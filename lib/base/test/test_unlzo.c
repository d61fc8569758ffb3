/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/unlzo.h"

#define END "\x11\0\0"

/* By hand, each kind of instruction once; packed extents of Linux are in lib/fs/test/btrfs.sh. */
static const struct {
	const char *name, *packed;
	size_t n;
	const char *want; /* NULL: refused */
} cases[] = {
#define CASE(name, packed, want) {name, packed, sizeof(packed) - 1, want}
        CASE("nothing", END, ""),
        CASE("literals",
             "\x16"
             "abcde" END,
             "abcde"),
        CASE("literals behind an instruction",
             "\x02"
             "abcde" END,
             "abcde"),
        CASE("three literals",
             "\x14"
             "abc" END,
             "abc"),
        CASE("3 bytes from near",
             "\x15"
             "abcd"
             "\x4c\0" END,
             "abcdabc"),
        CASE("8 bytes that overlap",
             "\x15"
             "abcd"
             "\xe0\0" END,
             "abcddddddddd"),
        CASE("and a literal behind",
             "\x15"
             "abcd"
             "\x4d\0"
             "x" END,
             "abcdabcx"),
        CASE("2 bytes behind a literal",
             "\x15"
             "abcd"
             "\x4d\0"
             "x"
             "\4\0" END,
             "abcdabcxcx"),
        CASE("a copy with 16 bits",
             "\x15"
             "abcd"
             "\x22\x0c\0" END,
             "abcdabcd"),
        CASE("its length goes on",
             "\x15"
             "abcd"
             "\x20\1\0\0" END,
             "abcddddddddddddddddddddddddddddddddddd"),
        CASE("no bytes", "", NULL),
        CASE("no end",
             "\x16"
             "abcde",
             NULL),
        CASE("too few literals",
             "\x20"
             "abc",
             NULL),
        CASE("from before the beginning",
             "\x15"
             "abcd"
             "\x50\0" END,
             NULL),
        CASE("from far before the beginning",
             "\x15"
             "abcd"
             "\x19\0\0" END,
             NULL),
        CASE("from before the beginning, behind many",
             "\x15"
             "abcd"
             "\0\0" END,
             NULL),
        CASE("more than there is room for",
             "\x15"
             "abcd"
             "\x20\0\0\0\1\0\0" END,
             NULL),
        CASE("a length without an end",
             "\x15"
             "abcd"
             "\x20\0\0",
             NULL),
        CASE("a cut copy",
             "\x15"
             "abcd"
             "\x40",
             NULL),
#undef CASE
};

static void all(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		char out[100];
		size_t got = 0;
		int rc = unlzo(cases[i].packed, cases[i].n, out, sizeof out, &got, &err);

		print_message("%s\n", cases[i].name);
		assert_int_equal(rc, cases[i].want ? 0 : -ERR_FORMAT);
		if (!cases[i].want)
			continue;
		assert_int_equal(got, strlen(cases[i].want));
		assert_memory_equal(out, cases[i].want, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
