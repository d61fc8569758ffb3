/* SPDX-License-Identifier: MIT */
#include "nix/nix32.h"

#include <string.h>

static const char alphabet[] = "0123456789abcdfghijklmnpqrsvwxyz";

/* The value of a digit, or 32. */
static unsigned value_of(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (unsigned)(at - alphabet) : 32;
}

bool nix32_digit(char c)
{
	return value_of(c) < 32;
}

void nix32_encode(const uint8_t *p, size_t n, char *out)
{
	size_t len = NIX32_LEN(n);

	for (size_t d = 0; d < len; d++) {
		size_t bit = (len - 1 - d) * 5, i = bit / 8, shift = bit % 8;
		unsigned v = p[i] >> shift;

		if (i + 1 < n)
			v |= (unsigned)p[i + 1] << (8 - shift);
		out[d] = alphabet[v & 31];
	}
	out[len] = '\0';
}

bool nix32_decode(struct str text, uint8_t *out, size_t n)
{
	size_t len = NIX32_LEN(n);

	if (text.n != len)
		return false;
	for (size_t d = 0; d < len; d++) {
		size_t bit = (len - 1 - d) * 5;
		unsigned v = value_of(text.p[d]);

		/* Only the first digit can have bits beyond the last byte. */
		if (v > 31 || (bit + 5 > n * 8 && v >> (n * 8 - bit)))
			return false;
	}
	memset(out, 0, n);
	for (size_t d = 0; d < len; d++) {
		size_t bit = (len - 1 - d) * 5, i = bit / 8, shift = bit % 8;
		unsigned v = value_of(text.p[d]) << shift;

		out[i] |= (uint8_t)v;
		if (i + 1 < n)
			out[i + 1] |= (uint8_t)(v >> 8);
	}
	return true;
}
