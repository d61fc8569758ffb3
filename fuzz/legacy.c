/* SPDX-License-Identifier: MIT */
/* A configuration on a guest's disks: read, opened, booted. */
#include "grub/test/explore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	explore_text(GRUB_LEGACY, (struct str){(const char *)data, size});
	return 0;
}
