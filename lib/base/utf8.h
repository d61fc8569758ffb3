/* SPDX-License-Identifier: MIT */
/* Untrusted text as Unicode characters, and as JSON. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"
#include "base/str.h"

#define UTF8_BAD 0xfffdu /* replaces bytes that are not UTF-8 */

/*
 * Cut the first character off *s, which is not empty. Returns its code point, at
 * most 0x10ffff and never a surrogate. A byte that begins no character is cut off
 * alone, as UTF8_BAD.
 */
uint32_t utf8_cut(struct str *s);

/*
 * Append s as a JSON string with its quotes, safe for parsers and terminals:
 * printable ASCII unchanged, all else as \uXXXX, bytes that are not UTF-8 as
 * \ufffd.
 */
void utf8_json(struct buf *out, struct str s);

#endif
