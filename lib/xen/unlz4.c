/* SPDX-License-Identifier: MIT */
#include "xen/unlz4.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

#define BLOCK_MAX (8u << 20) /* bytes, unpacked */
#define PACKED_MAX (BLOCK_MAX + BLOCK_MAX / 255 + 16)
#define MATCH_MIN 4

void unlz4_init(struct unlz4 *z, struct unlz4_input *in)
{
	memset(z, 0, offsetof(struct unlz4, buf));
	z->in = in;
}

static bool available(struct unlz4_input *in)
{
	return in->next < in->end || in->fill(in);
}

/* The next byte of the block's input, or -1 at its end. */
static int take_byte(struct unlz4 *z)
{
	if (!z->left || !available(z->in))
		return -1;
	z->left--;
	return *z->in->next++;
}

/* A length, with the bytes after a nibble of 15. false: the block ended, or it is too long. */
static bool length_take(struct unlz4 *z, size_t nibble, size_t *out)
{
	size_t n = nibble;
	int c = 255;

	while (nibble == 15 && c == 255) {
		c = take_byte(z);
		if (c < 0 || n > BLOCK_MAX)
			return false;
		n += (size_t)c;
	}
	*out = n;
	return true;
}

/*
 * Begin the next block: 1 at the end. The kernel's build appends the unpacked size
 * to the last block, where the size of another block would be.
 */
static int block_next(struct unlz4 *z, struct err *err)
{
	uint8_t head[4];
	uint32_t size;
	int c;

	for (size_t i = 0; i < sizeof head; i++) {
		if (!available(z->in))
			return 1;
		head[i] = *z->in->next++;
	}
	size = get_le32(head);
	z->left = size;
	z->unpacked = 0;
	z->has_token = false;
	c = take_byte(z);
	if (c < 0)
		return 1;
	if (size > PACKED_MAX)
		return err_set(err, ERR_FORMAT, "lz4: block of %u bytes", size);
	z->token = (unsigned)c;
	z->has_token = true;
	return 0;
}

static int damaged(struct err *err)
{
	return err_set(err, ERR_FORMAT, "lz4: damaged or truncated");
}

/* The first part of a sequence: literals. */
static int literals_begin(struct unlz4 *z, struct err *err)
{
	if (!z->has_token) {
		int c = take_byte(z);

		if (c < 0)
			return damaged(err);
		z->token = (unsigned)c;
		z->has_token = true;
	}
	return length_take(z, z->token >> 4, &z->literals) ? 0 : damaged(err);
}

static int match_begin(struct unlz4 *z, struct err *err)
{
	int low = take_byte(z), high = take_byte(z);

	if (low < 0 || high < 0)
		return damaged(err);
	z->offset = (size_t)low | (size_t)high << 8;
	if (!z->offset || z->offset > z->n || z->offset > z->unpacked)
		return damaged(err);
	if (!length_take(z, z->token & 15, &z->match))
		return damaged(err);
	z->match += MATCH_MIN;
	z->has_token = false;
	return 0;
}

static size_t room(const struct unlz4 *z)
{
	return sizeof z->buf - z->n;
}

static int literals_copy(struct unlz4 *z, struct err *err)
{
	size_t n = MIN(MIN(z->literals, room(z)), (size_t)z->left);

	if (n == 0 || !available(z->in))
		return damaged(err);
	n = MIN(n, (size_t)(z->in->end - z->in->next));
	memcpy(z->buf + z->n, z->in->next, n);
	z->in->next += n;
	z->left -= n;
	z->literals -= n;
	z->n += n;
	z->unpacked += (uint32_t)n;
	return 0;
}

static void match_copy(struct unlz4 *z)
{
	size_t n = MIN(z->match, room(z));
	uint8_t *to = z->buf + z->n;

	/* A match may overlap its own output. */
	if (z->offset >= n)
		memcpy(to, to - z->offset, n);
	else
		for (size_t i = 0; i < n; i++)
			to[i] = to[i - z->offset];
	z->match -= n;
	z->n += n;
	z->unpacked += (uint32_t)n;
}

/* Decode more into buf: 0, 1 at the end, or -ERR_FORMAT. */
static int advance(struct unlz4 *z, struct err *err)
{
	int rc = 0;

	if (z->unpacked > BLOCK_MAX)
		return err_set(err, ERR_FORMAT, "lz4: block larger than 8 MiB");
	if (z->literals)
		return literals_copy(z, err);
	if (z->match) {
		match_copy(z);
		return 0;
	}
	/* Between literals and match, or between sequences. */
	if (z->has_token && z->left)
		return match_begin(z, err);
	if (!z->left) {
		rc = block_next(z, err);
		if (rc != 0)
			return rc;
	}
	rc = literals_begin(z, err);
	/* Without literals and input, the loop would never end. */
	return rc == 0 && !z->literals && !z->left ? damaged(err) : rc;
}

int unlz4_read(struct unlz4 *z, uint8_t *to, size_t n, size_t *got, struct err *err)
{
	size_t m;
	int rc = 0;

	while (z->said == z->n && rc == 0) {
		if (z->n == sizeof z->buf) {
			memmove(z->buf, z->buf + UNLZ4_WINDOW, UNLZ4_WINDOW);
			z->n = z->said = UNLZ4_WINDOW;
		}
		do
			rc = advance(z, err);
		while (rc == 0 && room(z) && z->n - z->said < n);
	}
	if (rc < 0)
		return rc;
	m = MIN(n, z->n - z->said);
	memcpy(to, z->buf + z->said, m);
	z->said += m;
	*got = m;
	return rc == 1 && m == 0;
}
