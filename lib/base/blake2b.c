/* SPDX-License-Identifier: MIT */
#include "base/blake2b.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

#define BLOCK 128u
#define ROUNDS 12u
#define WORDS 8u

/* RFC 7693, 2.6 */
static const uint64_t start[WORDS] = {
        0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
        0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

/* RFC 7693, 2.7: rounds 10 and 11 are 0 and 1 again. */
static const uint8_t order[10][16] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
        {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
        {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
        {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
        {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
        {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
        {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
        {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
        {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
        {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static uint64_t rotate(uint64_t v, unsigned bits)
{
	return v >> bits | v << (64 - bits);
}

/* RFC 7693, 3.1, with the words of the message that this step takes. */
static void mix(uint64_t v[static 16], const uint64_t m[static 16], const uint8_t *s, unsigned i)
{
	/* Four columns, then four diagonals. */
	unsigned turn = i / 4, a = i % 4, b = 4 + (a + turn) % 4, c = 8 + (a + 2 * turn) % 4,
	         d = 12 + (a + 3 * turn) % 4;

	v[a] += v[b] + m[s[2 * i]];
	v[d] = rotate(v[d] ^ v[a], 32);
	v[c] += v[d];
	v[b] = rotate(v[b] ^ v[c], 24);
	v[a] += v[b] + m[s[2 * i + 1]];
	v[d] = rotate(v[d] ^ v[a], 16);
	v[c] += v[d];
	v[b] = rotate(v[b] ^ v[c], 63);
}

/* RFC 7693, 3.2; done: bytes with this block, which are below 2^64 here. */
static void compress(uint64_t h[static WORDS], const uint8_t *block, uint64_t done, bool last)
{
	uint64_t v[16], m[16];

	memcpy(v, h, sizeof start);
	memcpy(v + WORDS, start, sizeof start);
	v[12] ^= done;
	if (last)
		v[14] = ~v[14];
	for (unsigned i = 0; i < ARRAY_LEN(m); i++)
		m[i] = get_le64(block + (size_t)i * 8);
	for (unsigned r = 0; r < ROUNDS; r++)
		for (unsigned i = 0; i < 8; i++)
			mix(v, m, order[r % ARRAY_LEN(order)], i);
	for (unsigned i = 0; i < WORDS; i++)
		h[i] ^= v[i] ^ v[i + WORDS];
}

void blake2b(const void *p, size_t n, uint8_t out[static BLAKE2B_SIZE])
{
	uint8_t block[BLOCK] = {0};
	const uint8_t *b = p;
	uint64_t h[WORDS];
	size_t at = 0;

	memcpy(h, start, sizeof h);
	h[0] ^= 0x01010000u ^ BLAKE2B_SIZE;
	for (; n - at > BLOCK; at += BLOCK)
		compress(h, b + at, at + BLOCK, false);
	if (n > at)
		memcpy(block, b + at, n - at);
	compress(h, block, n, true);
	for (unsigned i = 0; i < BLAKE2B_SIZE / 8; i++)
		put_le64(out + (size_t)i * 8, h[i]);
}
