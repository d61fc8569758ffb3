/* SPDX-License-Identifier: MIT */
/* Text of a guest's as characters, and as JSON. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"
#include "base/str.h"

#define UTF8_BAD 0xfffdu /* what stands for bytes that are no UTF-8 */

/*
 * Cut the first character off *s, which is not empty: its number, at most
 * 0x10ffff and no surrogate. A byte that begins none is UTF8_BAD by itself.
 */
uint32_t utf8_cut(struct str *s);

/*
 * Append s as a JSON string with its quotes: printable ASCII as it is, all else
 * as \uXXXX, so that neither parser nor terminal is harmed. What is no UTF-8 is
 * \ufffd.
 */
void utf8_json(struct buf *out, struct str s);

#endif
