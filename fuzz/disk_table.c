/* SPDX-License-Identifier: MIT */
/* A disk's first and last sectors, as MBR or GPT of both sector sizes. */
#include "base/mem.h"
#include "disk/contents.h"
#include "disk/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned sectors[] = {512, 4096};

	for (size_t i = 0; i < ARRAY_LEN(sectors); i++) {
		struct err err = ERR_INIT;
		struct source_mem src;
		struct window w, part;
		struct table t;
		uint8_t byte;

		source_mem_init(&src, data, size);
		w = window_over(&src.src, size, "disk");
		w.sector = sectors[i];
		(void)contents_name(&w);
		if (table_read(&w, &t, &err) < 0)
			continue;
		for (size_t k = 0; k < t.n; k++)
			if (table_window(&t, &t.part[k], &w, &part, &err) == 0 && part.size &&
			    window_read(&part, &byte, 1, part.size - 1, &err) < 0)
				abort(); /* inside must mean inside */
		table_fini(&t);
	}
	return 0;
}
