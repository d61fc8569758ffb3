/* SPDX-License-Identifier: MIT */
/* An initial ramdisk: compressed and plain archives one after the other. */
#include <stdlib.h>
#include <string.h>

#include "xen/initrd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *arg, struct str name, uint32_t mode, uint64_t size)
{
	size_t *n = arg;
	char module[64];

	if (name.n >= INITRD_NAME_MAX || memchr(name.p, 0, name.n))
		abort();
	if (initrd_module(name, module) && strlen(module) >= sizeof module)
		abort();
	return ++*n == 3000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct initrd_limits limits = {8u << 20, 64u << 20, 2000};
	struct err err = ERR_INIT;
	struct initrd_info info;
	struct source_mem src;
	struct window w;
	size_t n = 0;

	source_mem_init(&src, data, size);
	w = window_over(&src.src, size, "initrd");
	(void)initrd_list(&w, &limits, take, &n, &info, &err);
	if (n > limits.entries)
		abort();
	return 0;
}
