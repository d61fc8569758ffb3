/* SPDX-License-Identifier: MIT */
/*
 * xl's configuration of one guest, as text that a person goes on editing. See
 * xl.cfg(5) for the keys; strings are written in double quotes, a backslash
 * before a quote or a backslash.
 */
#ifndef XEN_XLCFG_H
#define XEN_XLCFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum xl_type {
	XL_PV,
	XL_PVH,
	XL_HVM, /* a PC with firmware, to install from a CD */
};

/* A raw disk. */
struct xl_disk {
	const char *path; /* absolute */
	const char *vdev; /* such as xvda */
};

/* Everything borrowed; NULL and 0 where a key is left away. */
struct xlcfg {
	const char *name;
	const char *file;   /* of the config itself, for its opening comment */
	const char *system; /* what is in the guest, for the comment; NULL: not known */
	enum xl_type type;
	const char *uuid;
	uint64_t memory; /* MiB */
	unsigned vcpus;
	const char *kernel, *ramdisk, *cmdline;
	bool grub;         /* kernel is GRUB's own image */
	const char *extra; /* in place of cmdline: what a boot helper adds to the menu's */
	const char *bootloader;
	const char *const *bootloader_args;
	size_t n_bootloader_args;
	const struct xl_disk *disks;
	size_t n_disks;
	const char *cdrom;       /* XL_HVM: the image to boot, absolute */
	const char *const *vifs; /* specifications as in xl-network-configuration(5) */
	size_t n_vifs;
	const char *const *set; /* "KEY=VALUE", checked by xlcfg_set_check() */
	size_t n_set;
};

/* Append the config. A key in set takes the place of our own line for it. */
void xlcfg_format(const struct xlcfg *cfg, struct buf *out);

/*
 * A name that xl takes for a domain and that is a good file name: 1 to 63
 * letters, digits and "._+-", a letter or digit first, not digits only (that is
 * a domain id), not Domain-0.
 */
int xlcfg_name_check(const char *name, struct err *err);

/* A vif specification: known keys, a MAC and a rate of the right form. */
int xlcfg_vif_check(const char *spec, struct err *err);

/*
 * "KEY=VALUE" for a key that is not ours alone (name, type, disk and what
 * boots). Numbers, lists and quoted strings go in as they are, anything else as
 * a string; what xl would not read as one setting is refused.
 */
int xlcfg_set_check(const char *assignment, struct err *err);

#endif
