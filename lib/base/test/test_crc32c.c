/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"

/* The check values that catalogues of CRCs give for "123456789". */
static void known(void **state)
{
	uint8_t ones[32];

	memset(ones, 0xff, sizeof ones);
	assert_int_equal(~crc32c(~0u, "123456789", 9), 0xe3069283u);
	/* RFC 3720, B.4 */
	assert_int_equal(~crc32c(~0u, ones, 32), 0x62a8ab43u);
	assert_int_equal(crc32c(crc32c(~0u, ones, 3), ones, 29), crc32c(~0u, ones, 32));
	assert_int_equal(crc32_be(~0u, "123456789", 9), 0x0376e6e7u);
	assert_int_equal(crc32c(crc32c(7, "1234", 4), "56789", 5), crc32c(7, "123456789", 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
