/* SPDX-License-Identifier: MIT */
/*
 * GRUB's environment block: a file of fixed size, as a rule 1024 bytes.
 *
 *     block   = "# GRUB Environment Block\n" { line } { "#" }
 *     line    = comment | NAME "=" value "\n"
 *     comment = "#" … "\n"
 *     value   = any bytes; a backslash or newline has a backslash before it
 *
 * The padding fills the block to its size.
 */
#ifndef GRUB_GRUBENV_H
#define GRUB_GRUBENV_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define GRUBENV_SIZE 1024
#define GRUBENV_SIGNATURE "# GRUB Environment Block\n"
#define GRUBENV_MAX 65536

/* -ERR_FORMAT where it is no block; -ERR_LIMIT over GRUBENV_MAX bytes. */
int grubenv_check(struct str block, struct err *err);

/*
 * The next variable after *pos (start from 0): 0, or 1 at the end. *name
 * looks into the block; the value is put into *value, which is emptied first.
 */
int grubenv_next(struct str block, size_t *pos, struct str *name, struct buf *value);

/*
 * The block with one variable set, or gone where value.p is NULL, in the same
 * size, appended to *out: 0, or -ERR_SPACE where it does not fit, or
 * -ERR_FORMAT for a name that no line can hold.
 */
int grubenv_format(struct str block, struct str name, struct str value, struct buf *out,
                   struct err *err);

#endif
