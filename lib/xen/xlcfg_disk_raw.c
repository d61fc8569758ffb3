/* SPDX-License-Identifier: MIT */
/* Which disks of xl can be read on this host. */
#include <stdio.h>

#include "base/str.h"
#include "xen/xlcfg_disk.h"
#include "xen/xlcfg_disk_fits.h"

bool xlcfg_is_dom0(struct str domain)
{
	return !domain.n || str_is(domain, "0") || str_is(domain, "Domain-0");
}

/* A name such as "rbd:pool/image", which only QEMU understands. */
static bool is_protocol(const char *path)
{
	size_t n = xl_word_length(str_from(path), "+-.");

	return n > 1 && path[n] == ':';
}

bool xlcfg_disk_is_raw(const struct xl_disk_spec *d, char *why, size_t n)
{
	if (d->script && *d->script)
		snprintf(why, n, "the script %s sets up this disk when the guest starts",
		         d->script);
	else if (d->backend && !xlcfg_is_dom0(str_from(d->backend)))
		snprintf(why, n, "it is in the domain \"%s\" (backend=), not on this host",
		         d->backend);
	else if (d->format == XL_FORMAT_EMPTY || !*d->path)
		snprintf(why, n, "the drive is empty");
	else if (d->format != XL_FORMAT_RAW)
		snprintf(why, n,
		         "format %s: only raw disks are supported; convert it with qemu-img",
		         xlcfg_disk_format(d->format));
	else if (is_protocol(d->path))
		snprintf(why, n, "a QEMU protocol name, not a file on this host");
	else
		return true;
	return false;
}
