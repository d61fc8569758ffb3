/* SPDX-License-Identifier: MIT */
/* One string is replaced in a config; every other byte is kept. */
#include "xen/xlcfg_edit.h"

#include <string.h>

#include "base/test/test.h"

static const struct {
	const char *config, *key, *text;
	int rc;
	const char *want;
} cases[] = {
        {"kernel = \"/a\"\n", "kernel", "/b", 0, "kernel = \"/b\"\n"},
        {"# kernel = \"/x\"\n\tkernel='/a' # mine; kernel = 1\nname=\"k\"", "kernel", "/b", 0,
         "# kernel = \"/x\"\n\tkernel=\"/b\" # mine; kernel = 1\nname=\"k\""},
        {"name=\"kernel = 'q'\"; kernel \t=\t\"\" ;x=1", "kernel", "/b", 0,
         "name=\"kernel = 'q'\"; kernel \t=\t\"/b\" ;x=1"},
        {"l = [ 'a',\nkernel\n, \"]\" ]\nkernel = \"a\\\"b\"\r\n", "kernel", "c", 0,
         "l = [ 'a',\nkernel\n, \"]\" ]\nkernel = \"c\"\r\n"},
        {"a.kernel = \"1\"\nkernels = \"2\"\nkernel_ = \"3\"\n", "kernel", "x", 1, ""},
        {"", "kernel", "x", 1, ""},
        {"extra = \"a\"", "extra", "say \"\\\"", 0, "extra = \"say \\\"\\\\\\\"\""},
        {"kernel = [ \"a\" ]\n", "kernel", "x", -ERR_UNSUPPORTED, ""},
        {"kernel = 1\n", "kernel", "x", -ERR_UNSUPPORTED, ""},
        {"kernel += \"a\"\n", "kernel", "x", -ERR_UNSUPPORTED, ""},
        {"kernel = \"a\"\nkernel = \"b\"\n", "kernel", "x", -ERR_UNSUPPORTED, ""},
        {"kernel = \"a\"\n", "kernel", "x\ny = 1", -ERR_UNSUPPORTED, ""},
        {"kernel = \"a\nb\"\n", "kernel", "x", -ERR_FORMAT, ""},
        {"kernel = \"a\\", "kernel", "x", -ERR_FORMAT, ""},
};

static void all(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = BUF_INIT;
		struct err err = ERR_INIT;

		assert_int_equal(xlcfg_replace(str_from(cases[i].config), cases[i].key,
		                               cases[i].text, &out, &err),
		                 cases[i].rc);
		assert_string_equal(out.p ? out.p : "", cases[i].want);
		buf_fini(&out);
	}
}

static const struct {
	const char *config;
	int rc;
	const char *want;
} adds[] = {
        {"b = \"x\" # c\nd = 1\n", 0, "b = \"x\" # c\na = [ \"-w\" ]\nd = 1\n"},
        {"b = 'x'; d = 1", 0, "b = 'x'; d = 1\na = [ \"-w\" ]\n"},
        {"a = [ ]\nb = 'x'", 0, "a = [\"-w\" ]\nb = 'x'"},
        {"a = [\n  'q',\n]\n", 0, "a = [\"-w\",\n  'q',\n]\n"},
        {"a=['q']", 0, "a=[\"-w\", 'q']"},
        {"# a = [ ]\nl = [ 'a = [' ]\nb = 'x'\n", 0,
         "# a = [ ]\nl = [ 'a = [' ]\nb = 'x'\na = [ \"-w\" ]\n"},
        {"a = 'q'\nb = 'x'\n", -ERR_UNSUPPORTED, ""},
        {"a = [ 'q' ]\na = [ 'q' ]\n", -ERR_UNSUPPORTED, ""},
        {"a += [ 'q' ]\n", -ERR_UNSUPPORTED, ""},
        {"b = [ 'x' ]\n", -ERR_UNSUPPORTED, ""},
        {"c = 'x'\n", 1, ""},
};

static void arguments(void **state)
{
	for (size_t i = 0; i < sizeof adds / sizeof *adds; i++) {
		struct buf out = BUF_INIT;
		struct err err = ERR_INIT;

		assert_int_equal(
		        xlcfg_add_argument(str_from(adds[i].config), "a", "-w", "b", &out, &err),
		        adds[i].rc);
		assert_string_equal(out.p ? out.p : "", adds[i].want);
		buf_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all), cmocka_unit_test(arguments)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
