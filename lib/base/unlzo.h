/* SPDX-License-Identifier: MIT */
/*
 * LZO1X, unpacked. The format as Linux's Documentation/staging/lzo.rst has it, version 0:
 *
 *     first byte 18…21     byte - 17 literals, fewer than four    22…255: byte - 17 literals
 *     0000LLLL             4 or more literals, if none precede
 *     0000DDSS H           2 bytes from up to 1 KiB back behind 1 to 3 literals, 3 from 2 to 3 KiB
 *                          back behind more
 *     0001HLLL DD…SS       from 16 to 48 KiB back; 16 KiB: the end
 *     001LLLLL DD…SS       from up to 16 KiB back
 *     01LDDDSS H, 1LLDDDSS H   3 to 8 bytes from up to 2 KiB back
 *
 * SS literals follow each copy. L is 0 where the length goes on in bytes behind it.
 */
#ifndef BASE_UNLZO_H
#define BASE_UNLZO_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* At most room bytes into out, which *got are then; -ERR_FORMAT: no such data. */
int unlzo(const void *p, size_t n, void *out, size_t room, size_t *got, struct err *err);

#endif
