/* SPDX-License-Identifier: MIT */
/*
 * A CD's image. The input begins with the volume descriptors, at sector 16 of the
 * image, because nothing before them is read. Sizes found must be within the image.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disk/iso.h"

#define BEFORE (16u * ISO_SECTOR)
#define SIZE_MAX_BYTES (64u * ISO_SECTOR)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = BEFORE + MIN(size, (size_t)SIZE_MAX_BYTES);
	_free_ uint8_t *cd = xcalloc(1, n);
	struct source_mem mem;
	struct err err = ERR_INIT;
	struct window w;
	struct iso iso;

	if (size)
		memcpy(cd + BEFORE, data, n - BEFORE);
	source_mem_init(&mem, cd, n);
	w = window_over(&mem.src, n, "cd");
	if (iso_read(&w, &iso, &err) < 0)
		return 0;
	if (iso.size > n || strlen(iso.label) >= sizeof iso.label)
		abort();
	return 0;
}
