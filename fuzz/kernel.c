/* SPDX-License-Identifier: MIT */
/* A kernel: bzImage, compression, ELF, notes, and the advice about them. */
#include "xen/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct kernel_limits limits = {.unpacked = 8u << 20, .memory = 64u << 20};
	struct buf advice = BUF_INIT;
	struct err err = ERR_INIT;
	struct kernel_info info;
	struct source_mem src;
	struct window w;
	char text[64];

	source_mem_init(&src, data, size);
	w = window_over(&src.src, size, "kernel");
	if (kernel_read(&w, &limits, &info, &err) == 0) {
		kernel_advise(&info, 0, &advice);
		kernel_describe(&info, text);
	}
	buf_fini(&advice);
	return 0;
}
