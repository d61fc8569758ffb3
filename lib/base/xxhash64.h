/* SPDX-License-Identifier: MIT */
/* XXH64 with seed 0 (the xxHash specification, version 0.1.1): a checksum of btrfs. */
#ifndef BASE_XXHASH64_H
#define BASE_XXHASH64_H

#include <stddef.h>
#include <stdint.h>

uint64_t xxhash64(const void *p, size_t n);

#endif
