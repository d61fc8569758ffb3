/* SPDX-License-Identifier: MIT */
/*
 * What a boot helper answers xl, byte for byte as pygrub does:
 *
 *     sxp      linux (kernel 'K')(ramdisk 'R')(args 'A')
 *     simple   kernel K\nramdisk R\nargs A\n\n
 *     simple0  the same with NULs instead of newlines
 *
 * An empty ramdisk or args is left out; a kernel of none is the word None. In
 * sxp a text is quoted as Python does it, for that is what pygrub is written
 * in: in double quotes where it has single ones only, with backslashes before
 * what would end it.
 */
#ifndef XEN_HANDOFF_H
#define XEN_HANDOFF_H

#include "base/buf.h"
#include "base/err.h"

/* An item of 8192 bytes or more libxl drops with no more than a warning. */
#define HANDOFF_ITEM_MAX 8191

enum handoff_format {
	HANDOFF_SXP,
	HANDOFF_SIMPLE,
	HANDOFF_SIMPLE0,
};

/* Borrowed texts; NULL or "" means none. */
struct handoff {
	const char *kernel;
	const char *ramdisk;
	const char *args;
};

/* 0 and *out; 1: there is no such format. */
int handoff_format_parse(const char *name, enum handoff_format *out);

/*
 * Append the answer to *out. Refused: an item longer than libxl takes
 * (-ERR_LIMIT), and one with a newline (-ERR_FORMAT), whatever the format.
 */
int handoff_put(const struct handoff *h, enum handoff_format format, struct buf *out,
                struct err *err);

#endif
