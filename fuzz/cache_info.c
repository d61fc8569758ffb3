/* SPDX-License-Identifier: MIT */
/* A nix-cache-info. */
#include <stdlib.h>

#include "nix/cache_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cache_info info;
	struct err err = ERR_INIT;

	if (cache_info_parse((struct str){(const char *)data, size}, &info, &err) == 0 &&
	    info.priority > CACHE_PRIORITY_MAX)
		abort();
	return 0;
}
