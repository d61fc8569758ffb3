/* SPDX-License-Identifier: MIT */
/* Boot counters in file names: which names have one, and what they become. */
#include "grub/blscount.h"

#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"

static void names(void **state)
{
	static const struct {
		const char *name, *stem;
		int64_t left, done;
		const char *next; /* NULL: no counter */
	} cases[] = {
	        {"x+3.conf", "x", 3, 0, "x+2-1.conf"},
	        {"x+2-1.conf", "x", 2, 1, "x+1-2.conf"},
	        {"x+1-2.conf", "x", 1, 2, "x+0-3.conf"},
	        {"x+0-3.conf", "x", 0, 3, "x+0-4.conf"},
	        {"x+0.conf", "x", 0, 0, "x+0-1.conf"},
	        {"x+4-0.efi", "x", 4, 0, "x+3-1.efi"},
	        {"X+3.EFI", "X", 3, 0, "X+2-1.efi"},
	        {"x+10-9.conf", "x", 10, 9, "x+9-10.conf"},
	        {"x+0010-09.conf", "x", 10, 9, "x+9-10.conf"},
	        {"a+1+2.conf", "a+1", 2, 0, "a+1+1-1.conf"},
	        {"+1.conf", "", 1, 0, "+0-1.conf"},
	        {"x+2147483647-2147483647.conf", "x", INT32_MAX, INT32_MAX,
	         "x+2147483646-2147483647.conf"},
	        {"x+0-2147483647.conf", "x", 0, INT32_MAX, "x+0-2147483647.conf"},
	        {"x+2147483648.conf", "x+2147483648", -1, -1, NULL},
	        {"x+1-2147483648.conf", "x+1-2147483648", -1, -1, NULL},
	        {"x+18446744073709551617.conf", "x+18446744073709551617", -1, -1, NULL},
	        {"x.conf", "x", -1, -1, NULL},
	        {"x+.conf", "x+", -1, -1, NULL},
	        {"x+1-.conf", "x+1-", -1, -1, NULL},
	        {"x+-1.conf", "x+-1", -1, -1, NULL},
	        {"x+1-2-3.conf", "x+1-2-3", -1, -1, NULL},
	        {"x+1x.conf", "x+1x", -1, -1, NULL},
	        {"x+1 .conf", "x+1 ", -1, -1, NULL},
	        {"x+1+.conf", "x+1+", -1, -1, NULL},
	        {"x+1", "x+1", -1, -1, NULL},
	        {"x+1.conf.old", "x+1.conf.old", -1, -1, NULL},
	        {".conf", "", -1, -1, NULL},
	        {"", "", -1, -1, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_fini) struct buf next = BUF_INIT;
		struct blscount c;
		bool has = blscount_parse(str_from(cases[i].name), &c);

		if (has != (cases[i].next != NULL) || !str_is(c.stem, cases[i].stem) ||
		    c.left != cases[i].left || c.done != cases[i].done)
			fail_msg("%s: %d, \"%.*s\" %lld %lld", cases[i].name, has, STR_ARG(c.stem),
			         (long long)c.left, (long long)c.done);
		if (!has)
			continue;
		blscount_next(&c, &next);
		assert_string_equal(next.p, cases[i].next);
	}
}

static void paths(void **state)
{
	static const struct {
		const char *path, *dir; /* NULL: refused */
	} cases[] = {
	        {"/loader/entries/x+3.conf", "/loader/entries"},
	        {"/boot/loader/entries/x+0-3.conf", "/boot/loader/entries"},
	        {"/EFI/Linux/x+3.efi", "/EFI/Linux"},
	        {"/a/boot/EFI/Linux/x+3.efi", "/a/boot/EFI/Linux"},
	        {"/loader/entries/x.conf", NULL},
	        {"/loader/entries/x+3.efi", NULL},
	        {"/EFI/Linux/x+3.conf", NULL},
	        {"/myloader/entries/x+3.conf", NULL},
	        {"/loader/entries/x+3.conf/", NULL},
	        {"/loader/entries/y/x+3.conf", NULL},
	        {"loader/entries/x+3.conf", NULL},
	        {"/../loader/entries/x+3.conf", NULL},
	        {"/./loader/entries/x+3.conf", NULL},
	        {"//loader/entries/x+3.conf", NULL},
	        {"/x+3.conf", NULL},
	        {"/", NULL},
	        {"", NULL},
	};
	struct str none;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str path = str_from(cases[i].path), dir, name;
		bool good = blscount_path(path, &dir, &name);

		if (good != (cases[i].dir != NULL) || (good && !str_is(dir, cases[i].dir)))
			fail_msg("%.*s: %d", STR_ARG(path), good);
		if (good)
			assert_int_equal(dir.n + 1 + name.n, path.n);
	}
	assert_false(blscount_path(STR("/a\0b/loader/entries/x+3.conf"), &none, &none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(paths)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
