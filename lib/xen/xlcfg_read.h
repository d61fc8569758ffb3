/* SPDX-License-Identifier: MIT */
/*
 * The settings of an xl config that we need, read as xl reads them (xl.cfg(5)).
 * xlcfg_text.h parses the text, xlcfg_disk.h each disk.
 */
#ifndef XEN_XLCFG_READ_H
#define XEN_XLCFG_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "xen/xlcfg_disk.h"
#include "xen/xlcfg_text.h"

#define XLCFG_DISKS_MAX 64
#define XLCFG_VIFS_MAX 64
#define XLCFG_ARGS_MAX 64

/* Texts are owned; NULL: the config does not say. */
struct xlcfg_guest {
	struct xl_disk_spec *v;
	size_t n;
	char **vifs; /* specifications as written */
	size_t n_vifs;
	char *name;
	char *type; /* "pv", "pvh", "hvm"; NULL: not set, which means pv */
	char *bootloader;
	char **bootloader_args;
	size_t n_bootloader_args;
	char *kernel;       /* on the host; NULL: none, or in the guest */
	char *ramdisk;      /* the same */
	char *guest_kernel; /* kernel= with a bootloader: a path in the guest */
	char *firmware;
	char *cmdline;   /* or made of "root" and "extra" */
	uint64_t memory; /* MiB; 0: not set */
};

/* The value of a key such as "bridge" in a vif specification; empty: not set. */
struct str xlcfg_vif_get(const char *vif, const char *key);

/*
 * Parse n bytes of a config. Free *out with xlcfg_guest_fini(). -ERR_FORMAT: xl refuses
 * it, with xl's reason; -ERR_LIMIT.
 */
int xlcfg_guest_parse(const char *p, size_t n, struct xlcfg_guest *out, struct err *err);
void xlcfg_guest_fini(struct xlcfg_guest *d);

/* The place on this host of a path in the config cfg; the caller frees it. */
char *xlcfg_path(const char *cfg, const char *path);

#endif
