/* SPDX-License-Identifier: MIT */
/*
 * Reading the disks out of an xl config, whoever wrote it (xl.cfg(5),
 * xl-disk-configuration(5)).
 *
 *     config = { key "=" value ( NEWLINE | ";" ) }     "#" begins a comment
 *     value  = "text" | 'text' | number | "[" [ value { "," value } ] "]"
 *     disk   = target [ "," format [ "," vdev [ "," access ] ] ] and
 *              key=value in any place; "target=" takes all that follows
 *
 * Old prefixes ("phy:", "file:") are understood; targets that a script or
 * another program makes sense of are not.
 */
#ifndef XEN_XLCFG_READ_H
#define XEN_XLCFG_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define XLCFG_BYTES_MAX (1u << 20)
#define XLCFG_DISKS_MAX 64

struct xl_disk_spec {
	char *path; /* as written: may be relative to where xl is run */
	char *vdev; /* such as xvda; "" where it is missing */
	bool raw;   /* the bytes are the disk's */
	bool cdrom;
};

struct xlcfg_disks {
	struct xl_disk_spec *v;
	size_t n;
	char *kernel; /* that the host boots; NULL: the guest's own */
};

/* n bytes of a config. *out is for xlcfg_disks_fini(). -ERR_FORMAT, -ERR_LIMIT. */
int xlcfg_disks_parse(const char *p, size_t n, struct xlcfg_disks *out, struct err *err);
void xlcfg_disks_fini(struct xlcfg_disks *d);

#endif
