/* SPDX-License-Identifier: MIT */
/*
 * Writes the xl configuration of one guest, as text for people to edit. See xl.cfg(5)
 * for the keys. Strings are written in double quotes, with a backslash before a
 * double quote or a backslash.
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

/* A config begins with this. */
#define XLCFG_FIRST_LINE "# xl configuration of the guest "

/* A raw disk. */
struct xl_disk {
	const char *path; /* absolute */
	const char *vdev; /* such as xvda */
};

/* Everything is borrowed; NULL or 0: the key is left out. */
struct xlcfg {
	const char *name;
	const char *file;   /* path of the config, for its comment at the top */
	const char *system; /* the guest's system, for that comment; NULL: unknown */
	enum xl_type type;
	const char *uuid;
	uint64_t memory; /* MiB */
	unsigned vcpus;
	const char *kernel, *ramdisk, *cmdline;
	bool grub;         /* kernel is GRUB's own image */
	const char *extra; /* in place of cmdline: added to the boot menu's arguments */
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

/* Append the config. A key in set replaces the line that would be written for it. */
void xlcfg_format(const struct xlcfg *cfg, struct buf *out);

/*
 * A name that xl accepts for a domain and that is a good file name: 1 to 63 letters,
 * digits and "._+-", a letter or digit first, not only digits (a domain ID), not
 * Domain-0.
 */
int xlcfg_name_check(const char *name, struct err *err);

/* A vif specification: known keys with values, and a valid MAC address. */
int xlcfg_vif_check(const char *spec, struct err *err);

/*
 * "KEY=VALUE" for a key that domstrap does not reserve (name, type, disk, vif and
 * those for booting). Numbers, lists and quoted strings are written unchanged,
 * anything else as a string; it must be one setting for xl.
 */
int xlcfg_set_check(const char *assignment, struct err *err);

#endif
