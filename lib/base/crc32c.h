/* SPDX-License-Identifier: MIT */
/* The checksums of ext4 and its journal. Start from ~0; nothing is inverted at the end. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *p, size_t n);
/* The older one: Ethernet's polynomial, highest bit first. */
uint32_t crc32_be(uint32_t crc, const void *p, size_t n);

#endif
