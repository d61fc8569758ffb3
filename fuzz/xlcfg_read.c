/* SPDX-License-Identifier: MIT */
/* An xl config of arbitrary bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "xen/xlcfg_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xlcfg_guest d = {0};
	struct err err = ERR_INIT;

	if (xlcfg_guest_parse((const char *)data, size, &d, &err) < 0)
		return 0;
	if (d.n > XLCFG_DISKS_MAX)
		abort();
	for (size_t i = 0; i < d.n; i++) {
		char why[64];

		if (!d.v[i].path || !d.v[i].vdev || strlen(d.v[i].path) > size)
			abort();
		if (xlcfg_disk_is_raw(&d.v[i], why, sizeof why) && !*d.v[i].path)
			abort();
	}
	xlcfg_guest_fini(&d);
	return 0;
}
