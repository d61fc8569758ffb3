/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "base/test/test.h"
#include "disk/mbr.h"

/*
 * Bytes 440 and up as sfdisk 2.38 writes them for
 *     label-id: 0x12345678
 *     start=2048, size=20477952, type=83
 */
static const uint8_t by_sfdisk[72] = {
        0x78, 0x56, 0x34, 0x12, 0x00, 0x00, /* disk id */
        0x00, 0x20, 0x21, 0x00, 0x83, 0xfe, 0xff, 0xff,        0x00,
        0x08, 0x00, 0x00, 0x00, 0x78, 0x38, 0x01, [70] = 0x55, 0xaa,
};

static void as_sfdisk(void **state)
{
	const struct mbr mbr = {.disk_id = 0x12345678,
	                        .entry[0] = {false, MBR_TYPE_LINUX, 2048, 20477952}};
	static const uint8_t zero[440];
	struct err err = ERR_INIT;
	uint8_t out[MBR_SIZE], again[MBR_SIZE];
	struct mbr back;

	assert_ok(mbr_format(&mbr, out, &err), &err);
	assert_memory_equal(out, zero, sizeof zero);
	assert_memory_equal(out + 440, by_sfdisk, sizeof by_sfdisk);
	assert_int_equal(mbr_parse(out, &back), 0);
	assert_ok(mbr_format(&back, again, &err), &err);
	assert_memory_equal(again, out, sizeof out);
}

static void refused(void **state)
{
	static const struct {
		struct mbr mbr;
		const char *words;
	} bad[] = {
	        {{.entry[0] = {false, 0, 1, 1}}, "entry 1: sectors but no type"},
	        {{.entry[1] = {false, 0x83, 0, 1}}, "entry 2: 1 sectors at 0"},
	        {{.entry[0] = {false, 0x83, 1, 0}}, "entry 1: 0 sectors at 1"},
	        {{.entry[0] = {false, 0x83, 2, UINT32_MAX}}, "over 2^32"},
	        {{.entry = {{false, 0x83, 1, 10}, {false, 0x83, 10, 1}}},
	         "entry 2 overlaps entry 1"},
	};
	uint8_t out[MBR_SIZE];
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(mbr_format(&bad[i].mbr, out, &err), &err, ERR_USAGE, bad[i].words);
}

static void not_mine(void **state)
{
	const struct mbr mbr = {.entry[2] = {true, 0x0c, 1, 1}};
	struct err err = ERR_INIT;
	uint8_t out[MBR_SIZE];
	struct mbr back;

	assert_ok(mbr_format(&mbr, out, &err), &err);
	assert_int_equal(mbr_parse(out, &back), 0);
	assert_true(back.entry[2].active);
	out[446] = 0x12; /* boot code where a flag should be */
	assert_int_equal(mbr_parse(out, &back), 1);
	out[446] = 0;
	out[511] = 0;
	assert_int_equal(mbr_parse(out, &back), 1);
	out[511] = 0xaa;
	memset(out + 446, 0, 64);
	assert_int_equal(mbr_parse(out, &back), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(as_sfdisk),
	        cmocka_unit_test(refused),
	        cmocka_unit_test(not_mine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
