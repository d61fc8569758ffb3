/* SPDX-License-Identifier: MIT */
/*
 * Reading what matters here out of an xl config, whoever wrote it (xl.cfg(5),
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
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define XLCFG_BYTES_MAX (1u << 20)
#define XLCFG_DISKS_MAX 64
#define XLCFG_VIFS_MAX 64

struct xl_disk_spec {
	char *path; /* as written: may be relative to where xl is run */
	char *vdev; /* such as xvda; "" where it is missing */
	bool raw;   /* the bytes are the disk's */
	bool cdrom;
};

/* Texts are owned; NULL: the config does not say. */
struct xlcfg_guest {
	struct xl_disk_spec *v;
	size_t n;
	char **vifs; /* specifications as they stand */
	size_t n_vifs;
	char *name;
	char *type; /* "pv", "pvh", "hvm"; an old "builder" is translated */
	char *bootloader;
	char *kernel; /* that the host boots; NULL: the guest's own */
	char *ramdisk;
	char *cmdline;   /* or what "extra" says */
	uint64_t memory; /* MiB; 0: it does not say */
};

/* The bridge that a vif is put on; *out is empty where it says none. */
void xlcfg_vif_bridge(const char *vif, struct str *out);

/* n bytes of a config. *out is for xlcfg_guest_fini(). -ERR_FORMAT, -ERR_LIMIT. */
int xlcfg_guest_parse(const char *p, size_t n, struct xlcfg_guest *out, struct err *err);
void xlcfg_guest_fini(struct xlcfg_guest *d);

#endif
