/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/test/test.h"
#include "base/utf8.h"

#include <string.h>

static void json(void **state)
{
	static const char *const cases[][2] = {
	        {"", "\"\""},
	        {"a b~", "\"a b~\""},
	        {"a\"\\b", "\"a\\\"\\\\b\""},
	        {"\x01\t\x1b\x7f", "\"\\u0001\\u0009\\u001b\\u007f\""},
	        {"Gr\xc3\xb6\xc3\x9f"
	         "e",
	         "\"Gr\\u00f6\\u00dfe\""},
	        {"\xe2\x80\x93", "\"\\u2013\""},
	        {"\xf0\x9f\x90\xa7", "\"\\ud83d\\udc27\""},
	        {"\xf4\x8f\xbf\xbf", "\"\\udbff\\udfff\""},
	        {"\xc2\x9b", "\"\\u009b\""},
	        {"\xe4", "\"\\ufffd\""},   /* Latin-1 */
	        {"\xe4x", "\"\\ufffdx\""}, /* cut short by a letter */
	        {"\xc3", "\"\\ufffd\""},   /* by the end */
	        {"\xe2\x80x", "\"\\ufffd\\ufffdx\""},
	        {"\xc0\xaf", "\"\\ufffd\\ufffd\""}, /* longer than need be */
	        {"\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\""},
	        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""}, /* a surrogate */
	        {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
	        {"\xf8\x88\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\""},
	        {"\x80\xff", "\"\\ufffd\\ufffd\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_fini) struct buf out = BUF_INIT;

		utf8_json(&out, str_from(cases[i][0]));
		assert_string_equal(out.p, cases[i][1]);
	}
}

static void nul(void **state)
{
	_cleanup_(buf_fini) struct buf out = BUF_INIT;

	utf8_json(&out, STR("a\0b"));
	assert_string_equal(out.p, "\"a\\u0000b\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(json), cmocka_unit_test(nul)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
