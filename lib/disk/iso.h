/* SPDX-License-Identifier: MIT */
/*
 * A CD image: just enough to tell whether a PC can boot it.
 *
 *     sector 16…   volume descriptors: kind(1) "CD001" version(1) …
 *                  1: the volume's name and size     0: El Torito, where its catalog is
 *                  255: the last one
 *     catalog      32-byte entries: validation, then what can be booted
 */
#ifndef DISK_ISO_H
#define DISK_ISO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "disk/window.h"

#define ISO_SECTOR 2048u
#define ISO_LABEL_MAX 32

struct iso {
	char label[4 * ISO_LABEL_MAX + 1]; /* of the volume, escaped for a terminal */
	uint64_t size;                     /* of the volume, bytes; at most the file's */
	bool bios;                         /* a PC's firmware can boot it */
};

/*
 * 0; -ERR_FORMAT: none, damaged, or cut off, and the text says what; a bootable
 * one has a boot catalog whose checksum is right.
 */
int iso_read(const struct window *w, struct iso *out, struct err *err);

#endif
