/* SPDX-License-Identifier: MIT */
/* Only a kernel's ELF notes. */
#include "xen/kernel_notes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kernel_notes notes = {0};
	struct err err = ERR_INIT;
	char why[100];

	(void)kernel_notes_parse(data, size, &notes, &err);
	(void)kernel_notes_pv(&notes, why, sizeof why);
	(void)kernel_notes_pvh(&notes, why, sizeof why);
	return 0;
}
