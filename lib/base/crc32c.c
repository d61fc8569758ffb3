/* SPDX-License-Identifier: MIT */
#include "base/crc32c.h"

#include <stdbool.h>
#include <string.h>

/*
 * Four bits at a time, so that the tables are small constants and need no
 * initialization. An entry is the remainder of four bits that are shifted out.
 */
static const uint32_t castagnoli[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static const uint32_t ethernet[16] = {
        0x00000000, 0x04c11db7, 0x09823b6e, 0x0d4326d9, 0x130476dc, 0x17c56b6b,
        0x1a864db2, 0x1e475005, 0x2608edb8, 0x22c9f00f, 0x2f8ad6d6, 0x2b4bcb61,
        0x350c9b64, 0x31cd86d3, 0x3c8ea00a, 0x384fbdbd,
};

/* Ethernet's, too, but lowest bit first. */
static const uint32_t ethernet_le[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

#if defined(__x86_64__)
/* The CPU has an instruction for it, which takes eight bytes: 80 times as fast. */
__attribute__((target("sse4.2"))) static uint32_t by_cpu(uint32_t crc, const uint8_t *b, size_t n)
{
	uint64_t wide = crc;

	for (; n >= sizeof(uint64_t); n -= sizeof(uint64_t), b += sizeof(uint64_t)) {
		uint64_t v;

		memcpy(&v, b, sizeof v);
		wide = __builtin_ia32_crc32di(wide, v);
	}
	crc = (uint32_t)wide;
	while (n--)
		crc = __builtin_ia32_crc32qi(crc, *b++);
	return crc;
}

static bool has_cpu(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#else
static uint32_t by_cpu(uint32_t crc, const uint8_t *b, size_t n)
{
	return crc;
}

static bool has_cpu(void)
{
	return false;
}
#endif

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
	const uint8_t *b = p;

	if (has_cpu())
		return by_cpu(crc, b, n);
	while (n--) {
		crc ^= *b++;
		crc = crc >> 4 ^ castagnoli[crc & 15];
		crc = crc >> 4 ^ castagnoli[crc & 15];
	}
	return crc;
}

uint32_t crc32_le(uint32_t crc, const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n--) {
		crc ^= *b++;
		crc = crc >> 4 ^ ethernet_le[crc & 15];
		crc = crc >> 4 ^ ethernet_le[crc & 15];
	}
	return crc;
}

uint32_t crc32_be(uint32_t crc, const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n--) {
		crc ^= (uint32_t)*b++ << 24;
		crc = crc << 4 ^ ethernet[crc >> 28];
		crc = crc << 4 ^ ethernet[crc >> 28];
	}
	return crc;
}
