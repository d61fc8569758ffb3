/* SPDX-License-Identifier: MIT */
#include "base/xxhash64.h"

#include "base/bytes.h"

#define LANES 4
#define STRIPE (LANES * 8)

static const uint64_t prime[] = {
        0,
        0x9e3779b185ebca87,
        0xc2b2ae3d27d4eb4f,
        0x165667b19e3779f9,
        0x85ebca77c2b2ae63,
        0x27d4eb2f165667c5,
};

static uint64_t rotate(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

static uint64_t stir(uint64_t lane, uint64_t v)
{
	return rotate(lane + v * prime[2], 31) * prime[1];
}

/* What does not fill a stripe, and the last mixing. */
static uint64_t finish(uint64_t h, const uint8_t *b, size_t n)
{
	for (; n >= 8; n -= 8, b += 8)
		h = rotate(h ^ stir(0, get_le64(b)), 27) * prime[1] + prime[4];
	for (; n >= 4; n -= 4, b += 4)
		h = rotate(h ^ get_le32(b) * prime[1], 23) * prime[2] + prime[3];
	for (; n; n--, b++)
		h = rotate(h ^ *b * prime[5], 11) * prime[1];
	h = (h ^ h >> 33) * prime[2];
	h = (h ^ h >> 29) * prime[3];
	return h ^ h >> 32;
}

uint64_t xxhash64(const void *p, size_t n)
{
	uint64_t lane[LANES] = {prime[1] + prime[2], prime[2], 0, -prime[1]};
	const uint8_t *b = p;
	uint64_t h = prime[5];
	size_t left = n;

	for (; left >= STRIPE; left -= STRIPE, b += STRIPE)
		for (unsigned i = 0; i < LANES; i++)
			lane[i] = stir(lane[i], get_le64(b + (size_t)i * 8));
	if (n >= STRIPE) {
		h = rotate(lane[0], 1) + rotate(lane[1], 7) + rotate(lane[2], 12) +
		    rotate(lane[3], 18);
		for (unsigned i = 0; i < LANES; i++)
			h = (h ^ stir(0, lane[i])) * prime[1] + prime[4];
	}
	return finish(h + n, b, left);
}
