/* SPDX-License-Identifier: MIT */
/* BLAKE2b with 32 bytes and without a key (RFC 7693): a checksum of btrfs. */
#ifndef BASE_BLAKE2B_H
#define BASE_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>

#define BLAKE2B_SIZE 32

void blake2b(const void *p, size_t n, uint8_t out[static BLAKE2B_SIZE]);

#endif
