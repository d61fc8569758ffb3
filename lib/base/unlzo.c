/* SPDX-License-Identifier: MIT */
#include "base/unlzo.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

#define FAR 16384u /* distances of the farthest copies begin there */
#define MANY 4u    /* literals: all numbers from here on are the same to what follows */

struct lzo {
	struct bytes in;
	uint8_t *out;
	size_t n, room;
	unsigned literals; /* that the last instruction ended with, at most MANY */
};

static bool literals_take(struct lzo *z, size_t n)
{
	const uint8_t *p = bytes_take(&z->in, n);

	if (!p || n > z->room - z->n)
		return false;
	memcpy(z->out + z->n, p, n);
	z->n += n;
	z->literals = n < MANY ? (unsigned)n : MANY;
	return true;
}

/* Bytes that are there already: they may overlap with those that they become. */
static bool copy(struct lzo *z, size_t back, size_t n)
{
	uint8_t *to = z->out + z->n;

	if (back > z->n || n > z->room - z->n)
		return false;
	for (size_t i = 0; i < n; i++)
		to[i] = to[i - back];
	z->n += n;
	return true;
}

/* A length that begins in the lowest bits of an instruction. */
static size_t length_take(struct lzo *z, unsigned instruction, unsigned bits)
{
	size_t mask = (1u << bits) - 1, n = instruction & mask;
	uint8_t more = 0;

	if (n)
		return n;
	while (bytes_ok(&z->in) && bytes_left(&z->in) && (more = bytes_u8(&z->in)) == 0)
		n += 255;
	return mask + n + more;
}

/* Distance and the literals behind it in 16 bits. */
static bool copy_far(struct lzo *z, size_t from, size_t n)
{
	unsigned d = bytes_le16(&z->in);

	return copy(z, from + (d >> 2), n) && literals_take(z, d & 3);
}

static bool copy_near(struct lzo *z, size_t back, size_t n, unsigned literals)
{
	return copy(z, back, n) && literals_take(z, literals);
}

/* Whether "0001HLLL" is the end, which its distance tells. */
static bool is_end(const struct lzo *z, unsigned instruction)
{
	struct bytes ahead = z->in;

	return !(instruction & 8) && bytes_le16(&ahead) >> 2 == 0 && bytes_ok(&ahead);
}

static bool step(struct lzo *z, unsigned i, bool *end)
{
	size_t n;

	if (i >= 64) {
		size_t back = (size_t)bytes_u8(&z->in) * 8 + (i >> 2 & 7) + 1;

		return copy_near(z, back, (i >> 5) + 1, i & 3);
	}
	if (i >= 32) {
		n = 2 + length_take(z, i, 5);
		return copy_far(z, 1, n);
	}
	if (i >= 16) {
		n = 2 + length_take(z, i, 3);
		*end = is_end(z, i);
		return *end || copy_far(z, FAR + (i & 8) * (FAR / 8), n);
	}
	if (z->literals == 0)
		return literals_take(z, 3 + length_take(z, i, 4));
	n = z->literals == MANY ? 3 : 2;
	return copy_near(z, (size_t)bytes_u8(&z->in) * 4 + (i >> 2) + (n == 3 ? 2049 : 1), n,
	                 i & 3);
}

int unlzo(const void *p, size_t n, void *out, size_t room, size_t *got, struct err *err)
{
	struct lzo z = {.in = bytes_over(p, n), .out = out, .room = room};
	bool end = false, ok = true;

	if (n && *(const uint8_t *)p > 17) {
		size_t first = (size_t)bytes_u8(&z.in) - 17;

		ok = literals_take(&z, first);
	}
	while (ok && !end) {
		unsigned i = bytes_u8(&z.in);

		ok = bytes_ok(&z.in) && step(&z, i, &end) && bytes_ok(&z.in);
	}
	if (!ok)
		return err_set(err, ERR_FORMAT,
		               "LZO data is invalid at byte %zu of %zu, %zu of %zu unpacked",
		               z.in.pos, n, z.n, room);
	*got = z.n;
	return 0;
}
