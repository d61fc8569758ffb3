/* SPDX-License-Identifier: MIT */
/*
 * The checksums of ext4, its journal, GPT and LVM2. They continue from crc (~0 for most); nothing
 * is inverted at the end.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *p, size_t n);
/* The older ones, with Ethernet's polynomial: highest bit first, and lowest bit first. */
uint32_t crc32_be(uint32_t crc, const void *p, size_t n);
uint32_t crc32_le(uint32_t crc, const void *p, size_t n);

#endif
