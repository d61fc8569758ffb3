/* SPDX-License-Identifier: MIT */
/* A look's result on its way out of the jail. */
#include <string.h>

#include "inspector/inspector_wire.h"
#include "base/mem.h"
#include "base/test/test.h"
#include "jail/wire.h"

static json_t *parse(const char *text)
{
	json_t *o = json_loads(text, 0, NULL);

	assert_non_null(o);
	return o;
}

static void comes_back(void **state)
{
	static const char *const texts[] = {
	        "{}",
	        "{\"disks\": [], \"menu\": null, \"menuError\": \"no menu\\u00e9\", \"kernels\": "
	        "{}}",
	        "{\"disks\": [{\"size\": 9223372036854775807, \"table\": \"gpt\", \"partitions\": "
	        "[{\"number\": 1, \"active\": true, \"fileSystem\": {\"clean\": false}}]}]}",
	        "{\"kernels\": {\"(hd0)/a\": {\"pv\": true, \"advice\": [\"a\", \"\"]}, \"b\": "
	        "{}}}",
	        "{\"menu\": {\"timeoutMs\": -1, \"entries\": [{\"title\": \"x\", \"entries\": "
	        "[{\"init\": null, \"system\": {\"builtin\": null, \"modules\": []}}]}]}}",
	        "{\"nixos\": {\"generations\": [{\"generation\": 3, \"current\": true}]}}",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_(buf_fini) struct buf bytes = BUF_INIT;
		struct err err = ERR_INIT;
		json_t *o = parse(texts[i]), *got;

		assert_ok(inspector_record_put(o, &inspector_schema, &bytes, &err), &err);
		assert_ok(inspector_record_get(buf_str(&bytes), &inspector_schema, &got, &err),
		          &err);
		if (!json_equal(o, got))
			fail_msg("text %zu comes back as another one", i);
		json_decref(o);
		json_decref(got);
		for (size_t n = 0; n < bytes.n; n++)
			assert_int_equal(inspector_record_get((struct str){bytes.p, n},
			                                      &inspector_schema, &got, &err),
			                 -ERR_CHILD);
	}
}

static void not_described(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
	        {"{\"disk\": 1}", "\"disk\" is no field of \"look\""},
	        {"{\"disks\": [{\"size\": \"1\"}]}", "\"size\" has another type"},
	        {"{\"disks\": [1]}", "\"disks\" has another type"},
	        {"{\"kernels\": {\"a\": {\"b\": 1}}}", "\"b\" is no field of \"kernel\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_fini) struct buf bytes = BUF_INIT;
		struct err err = ERR_INIT;
		json_t *o = parse(cases[i].text);

		assert_fails(inspector_record_put(o, &inspector_schema, &bytes, &err), &err,
		             ERR_UNSUPPORTED, cases[i].words);
		json_decref(o);
	}
}

/* A record with the fields that the tests below send. */
static const struct inspector_record inner;
static const struct inspector_field inner_fields[] = {
        {"text", INSPECTOR_TEXT, false, NULL},
        {"flags", INSPECTOR_BOOL, true, NULL},
        {"map", INSPECTOR_MAP, false, &inner},
        {"self", INSPECTOR_RECORD, false, &inner},
};
static const struct inspector_record inner = {"inner", inner_fields, ARRAY_LEN(inner_fields)};

/* Words of 32 bits, as a process that was taken over could send them. */
static void refused(void **state)
{
	static const struct {
		uint32_t word[9];
		size_t n;
	} cases[] = {
	        {{5, 0, 0}, 3},                /* no such field */
	        {{1, 2, 0}, 3},                /* neither null nor a value */
	        {{1, 0, 1, 0, 0}, 5},          /* the same field twice */
	        {{1, 1, 1, 0xff, 0}, 5},       /* no UTF-8; a text's padding */
	        {{2, 1, 1, 2, 0}, 5},          /* neither true nor false */
	        {{2, 1, 0xffffffff, 1, 0}, 5}, /* a list longer than the limit */
	        {{2, 1, 1000, 1, 0}, 5},       /* a list longer than the bytes */
	        {{3, 1, 2, 0, 0, 0, 0, 0}, 8}, /* a name twice */
	        {{0, 0}, 2},                   /* bytes after the end */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_fini) struct buf bytes = BUF_INIT;
		struct err err = ERR_INIT;
		json_t *got;

		for (size_t w = 0; w < cases[i].n; w++)
			wire_u32_put(&bytes, cases[i].word[w]);
		if (inspector_record_get(buf_str(&bytes), &inner, &got, &err) != -ERR_CHILD)
			fail_msg("case %zu is accepted", i);
	}
}

static void limits(void **state)
{
	_cleanup_(buf_fini) struct buf deep = BUF_INIT, many = BUF_INIT, nul = BUF_INIT;
	struct err err = ERR_INIT;
	json_t *got;

	for (unsigned i = 0; i < 2 * INSPECTOR_DEPTH_MAX; i++) {
		wire_u32_put(&deep, 4);
		wire_u32_put(&deep, 1);
	}
	for (unsigned i = 0; i <= 2 * INSPECTOR_DEPTH_MAX; i++)
		wire_u32_put(&deep, 0);
	assert_int_equal(inspector_record_get(buf_str(&deep), &inner, &got, &err), -ERR_CHILD);

	wire_u32_put(&many, 2);
	wire_u32_put(&many, 1);
	wire_u32_put(&many, INSPECTOR_VALUES_MAX);
	for (unsigned i = 0; i < INSPECTOR_VALUES_MAX; i++)
		wire_u32_put(&many, 1);
	wire_u32_put(&many, 1);
	wire_u32_put(&many, 1);
	wire_text_put(&many, STR("one more"));
	wire_u32_put(&many, 0);
	assert_int_equal(inspector_record_get(buf_str(&many), &inner, &got, &err), -ERR_LIMIT);

	wire_u32_put(&nul, 1);
	wire_u32_put(&nul, 1);
	wire_text_put(&nul, (struct str){"a\0b", 3});
	wire_u32_put(&nul, 0);
	assert_int_equal(inspector_record_get(buf_str(&nul), &inner, &got, &err), -ERR_CHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(comes_back),
	        cmocka_unit_test(not_described),
	        cmocka_unit_test(refused),
	        cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
