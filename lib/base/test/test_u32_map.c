/* SPDX-License-Identifier: MIT */
#include "base/test/test.h"
#include "base/u32_map.h"

#define MANY 200000u

/* Consecutive numbers, multiples of a power of two, and scattered numbers. */
static void keys(void **state)
{
	static const uint32_t steps[] = {1, 4096, 1u << 20, 2654435769u};

	for (size_t s = 0; s < 4; s++) {
		struct u32_map m = {0};
		uint32_t n = s == 2 ? 4096 : MANY, v;

		assert_false(u32_map_get(&m, 0, &v));
		for (uint32_t i = 0; i < n; i++)
			assert_true(u32_map_put(&m, i * steps[s], i));
		for (uint32_t i = 0; i < n; i += 3)
			assert_false(u32_map_put(&m, i * steps[s], i + 7));
		for (uint32_t i = 0; i < n; i++) {
			assert_true(u32_map_get(&m, i * steps[s], &v));
			assert_int_equal(v, i % 3 ? i : i + 7);
		}
		assert_false(u32_map_get(&m, n * steps[s] + 1, &v));
		assert_int_equal(m.n, n);
		u32_map_fini(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(keys)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
