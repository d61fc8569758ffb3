/* SPDX-License-Identifier: MIT */
/*
 * LZ4's "legacy frame", in which kernels are compressed. The library would need two
 * buffers of 8 MiB; this decoder needs 128 KiB, because a match never lies further
 * back than 64 KiB.
 *
 *     frame    = 02 21 4C 18 { le32 size, block }
 *     block    = { sequence }, up to 8 MiB when unpacked
 *     sequence = token [length] literals [le16 offset [length]]
 *     token    = length of literals: 4 bits, length of match - 4: 4 bits
 *     length   = bytes to add to a length of 15, up to the first that is not 255
 *
 * The last sequence of a block has no match.
 */
#ifndef XEN_UNLZ4_H
#define XEN_UNLZ4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define UNLZ4_WINDOW 65536

/* Input: the bytes between next and end, then those that fill() provides. */
struct unlz4_input {
	const uint8_t *next, *end;
	/* Set next and end to more input; false at the end or on an error. */
	bool (*fill)(struct unlz4_input *in);
};

struct unlz4 {
	struct unlz4_input *in;
	uint64_t left;     /* bytes of the block's input not read yet */
	uint32_t unpacked; /* bytes of the block so far */
	size_t literals, match, offset;
	unsigned token;
	bool has_token;
	size_t n;    /* bytes in buf */
	size_t said; /* bytes of buf returned so far */
	uint8_t buf[2 * UNLZ4_WINDOW];
};

/* in is borrowed, and positioned after the magic number. */
void unlz4_init(struct unlz4 *z, struct unlz4_input *in);

/* Up to n bytes: 0, 1 at the end, or -ERR_FORMAT. */
int unlz4_read(struct unlz4 *z, uint8_t *to, size_t n, size_t *got, struct err *err);

#endif
