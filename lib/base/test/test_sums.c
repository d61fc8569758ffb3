/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/blake2b.h"
#include "base/mem.h"
#include "base/xxhash64.h"

/* What xxhsum -H64 and b2sum -l 256 say of so many bytes 0, 1, 2 … */
static const struct {
	size_t n;
	uint64_t xx;
	const char *blake;
} known[] = {
        {0, 0xef46db3751d8e999, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"},
        {1, 0xe934a84adb052768, "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314"},
        {3, 0xe5c7bb4533bc65dd, "3d8c3d594928271f44aad7a04b177154806867bcf918e1549c0bc16f9da2b09b"},
        {7, 0x14cc643f630c72d2, "9df14b7248764a869197c35e392d2a6d6fdc5b79d597297920fd3f1491b442d2"},
        {14, 0x5cda8b69bbfc1d45,
         "4cce7128e4f659ba41ee163c45280d468163adc8c76c4937a0bbfa0cf3bdeae7"},
        {31, 0xc346d2b59b4d8ee1,
         "9adf65b53153b1caec84cd717e00e01c2000d0569704ce38d065180adee5d964"},
        {32, 0xcbf59c5116ff32b4,
         "cb2f5160fc1f7e05a55ef49d340b48da2e5a78099d53393351cd579dd42503d6"},
        {33, 0x0c535d1acafb8ead,
         "b7634fe13c7aca3914ee896e22cfabc9da5b4f13e72a2ccbecb6d44bbda95bcc"},
        {64, 0xf7c67301db6713f0,
         "10d8e6d534b00939843fe9dcc4dae48cdf008f6b8b2b82b156f5404d874887f5"},
        {127, 0x464d085810ce0199,
         "f2fe67ff342e21b8f45e8f2e0bcd1d9243245d50ee6c78042e9c491388791c72"},
        {128, 0x7a7fe14647b9ab92,
         "c3582f71ebb2be66fa5dd750f80baae97554f3b015663c8be377cfcb2488c1d1"},
        {129, 0x0ba25dfd6e891fcf,
         "f7f3c46ba2564ff4c4c162da1f5b605f9f1c4aa6a20652a9f9a337c1a2f5b9c9"},
        {255, 0x0f7d97507caad693,
         "1d0850ee9bca0abc9601e9deabe1418fedec2fb6ac4150bd5302d2430f9be943"},
        {256, 0x1facbe8406cd904b,
         "39a7eb9fedc19aabc83425c6755dd90e6f9d0c804964a1f4aaeea3b9fb599835"},
        {1000, 0x6ef436b00eba4078,
         "c636324d47d89f2b2434dc2c994100663fbbaea880ff020fc5de89dd0f77a1ec"},
};

static void sums(void **state)
{
	uint8_t p[1000], b[BLAKE2B_SIZE];
	char hex[2 * BLAKE2B_SIZE + 1];

	for (size_t i = 0; i < sizeof p; i++)
		p[i] = (uint8_t)i;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		blake2b(p, known[i].n, b);
		for (size_t k = 0; k < sizeof b; k++)
			snprintf(hex + 2 * k, 3, "%02x", b[k]);
		assert_string_equal(hex, known[i].blake);
		assert_true(xxhash64(p, known[i].n) == known[i].xx);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
