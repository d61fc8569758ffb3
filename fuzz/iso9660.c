/* SPDX-License-Identifier: MIT */
/* An image of a file system (ISO 9660), looked through. */
#include "fs_explore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fs_explore(data, size);
	return 0;
}
