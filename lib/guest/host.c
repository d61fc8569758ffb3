/* SPDX-License-Identifier: MIT */
#include "guest/host.h"

#include <fcntl.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

unsigned host_xen_version(void)
{
	static const char *const files[] = {"/sys/hypervisor/version/major",
	                                    "/sys/hypervisor/version/minor"};
	unsigned v[2] = {0, 0};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct err unused = ERR_INIT;
		struct buf b = BUF_INIT;
		uint64_t n = 0;

		if (io_read_file(AT_FDCWD, files[i], 64, &b, &unused) == 0)
			(void)str_u64(str_trim(buf_str(&b)), 10, 0xffff, &n);
		v[i] = (unsigned)n;
		buf_fini(&b);
	}
	return v[0] << 16 | v[1];
}
