/* SPDX-License-Identifier: MIT */
/* The names of GPT partitions and of FAT's long file names. */
#ifndef DISK_UTF16_H
#define DISK_UTF16_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Append up to n units, ending at a NUL, as UTF-8; a lone surrogate is U+FFFD. */
void utf16_put(struct buf *out, const uint16_t *units, size_t n);

#endif
