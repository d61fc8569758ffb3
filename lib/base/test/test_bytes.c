/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/test/test.h"

static void fields(void **state)
{
	struct buf b = BUF_INIT;
	struct bytes in;

	buf_u8(&b, 0x12);
	buf_le16(&b, 0x3456);
	buf_le32(&b, 0x789abcde);
	buf_le64(&b, 0x0123456789abcdefull);
	in = bytes_over(b.p, b.n);
	assert_int_equal(bytes_u8(&in), 0x12);
	assert_int_equal(bytes_le16(&in), 0x3456);
	assert_int_equal(bytes_le32(&in), 0x789abcde);
	assert_true(bytes_le64(&in) == 0x0123456789abcdefull);
	assert_true(bytes_ok(&in));
	assert_int_equal(bytes_left(&in), 0);
	buf_fini(&b);
}

static void past_the_end_sticks(void **state)
{
	static const uint8_t raw[] = {1, 2, 3};
	struct bytes in = bytes_over(raw, sizeof raw);

	assert_int_equal(bytes_le32(&in), 0);
	assert_false(bytes_ok(&in));
	assert_int_equal(bytes_u8(&in), 0);
	in = bytes_over(raw, sizeof raw);
	assert_int_equal(bytes_be16(&in), 0x0102);
	bytes_seek(&in, 4);
	assert_false(bytes_ok(&in));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(fields),
	        cmocka_unit_test(past_the_end_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
