/* SPDX-License-Identifier: MIT */
/*
 * The kernels that were looked at before and had nothing against them, so that
 * each is unpacked once and not at every boot: a file with a SHA-256 in
 * hexadecimal a line, newest first. It is a cache: what is odd in it makes it
 * empty, and whoever loses it loses time only.
 */
#ifndef DOMGRUB_KNOWN_H
#define DOMGRUB_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define KNOWN_SUM 32  /* bytes */
#define KNOWN_MAX 256 /* kernels; the oldest is forgotten */

struct known {
	size_t n;
	uint8_t sum[KNOWN_MAX][KNOWN_SUM];
};

/* No error: a file that cannot be read is empty. */
void known_read(const char *path, struct known *out);
bool known_has(const struct known *k, const uint8_t sum[static KNOWN_SUM]);

/*
 * Put one at the head of the file, which is replaced as a whole. Two at a time:
 * one of them may be lost.
 */
int known_add(const char *path, const uint8_t sum[static KNOWN_SUM], struct err *err);

#endif
