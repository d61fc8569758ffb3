/* SPDX-License-Identifier: MIT */
/*
 * A boot helper's answer to xl, byte for byte as pygrub writes it:
 *
 *     sxp      linux (kernel 'K')(ramdisk 'R')(args 'A')
 *     simple   kernel K\nramdisk R\nargs A\n\n
 *     simple0  the same with NULs instead of newlines
 *
 * An empty ramdisk or args is left out; without a kernel, K is the word None. In
 * sxp, text is quoted like a Python string: in double quotes if it contains single
 * quotes but no double ones, with a backslash before quotes of its own kind.
 */
#ifndef XEN_HANDOFF_H
#define XEN_HANDOFF_H

#include "base/buf.h"
#include "base/err.h"

/* libxl drops an item of 8192 bytes or more, with only a warning. */
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

/* 0 and *out; 1: unknown format. */
int handoff_format_parse(const char *name, enum handoff_format *out);

/*
 * Append the answer to *out. In every format, an item that is too long for libxl is
 * refused (-ERR_LIMIT), and one with a newline (-ERR_FORMAT).
 */
int handoff_put(const struct handoff *h, enum handoff_format format, struct buf *out,
                struct err *err);

#endif
