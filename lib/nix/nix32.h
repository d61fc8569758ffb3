/* SPDX-License-Identifier: MIT */
/*
 * Nix's base 32. The bytes are one number, least significant byte first; its
 * digits of five bits are written from the most significant to the least.
 *
 *     digit = one of 0123456789abcdfghijklmnpqrsvwxyz      (no e, o, t, u)
 *     n bytes are (8n - 1) / 5 + 1 digits: 20 bytes 32, 32 bytes 52
 */
#ifndef NIX_NIX32_H
#define NIX_NIX32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Digits for n bytes, n > 0. */
#define NIX32_LEN(n) (((n) * 8 - 1) / 5 + 1)

/* A digit of the alphabet. */
bool nix32_digit(char c);
/* Write NIX32_LEN(n) digits and a NUL to out. */
void nix32_encode(const uint8_t *p, size_t n, char *out);
/*
 * Exactly n bytes from text. false, and out untouched: a wrong length, a
 * foreign digit, or bits set beyond the last byte.
 */
bool nix32_decode(struct str text, uint8_t *out, size_t n);

#endif
