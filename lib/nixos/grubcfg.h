/* SPDX-License-Identifier: MIT */
/*
 * The GRUB menu of a NixOS guest, in the shape that NixOS's own installer
 * gives it, so that the guest's first rebuild finds what it expects and
 * replaces it.
 *
 *     searches for the file systems, environment, default, timeout
 *     menuentry "NixOS"                       the default system
 *     submenu "NixOS - All configurations"    every generation, newest first
 *     submenu "NixOS - Profile 'x'"           for each further profile
 *
 * A system with specialisations has "- Default" and an entry for each of them;
 * in the submenus these are a submenu of their own. Kernels are named where
 * they are in the store, or as copies under /boot/kernels, whose names are the
 * store's paths with "-" for "/". Everything but the generations is in the
 * form (nixos/grubform.h), which may be an older menu's.
 */
#ifndef NIXOS_GRUBCFG_H
#define NIXOS_GRUBCFG_H

#include "nixos/grubform.h"

/* What one entry boots. Borrowed strings; all paths in /nix/store. */
struct grub_entry {
	const char *toplevel;
	const char *init;    /* for "init=" */
	const char *kernel;  /* the file itself, links followed */
	const char *initrd;  /* the same; NULL: no entry is made, as NixOS does it */
	const char *params;  /* kernel-params, blank-separated */
	const char *secrets; /* file name of a second initrd in /boot/kernels; NULL: none */
	const char *dtbs;    /* directory of device trees, links followed; NULL: none */
};

struct grub_special {
	const char *name;               /* in specialisation/ */
	const char *configuration_name; /* "" where it has none */
	const char *version;
	int64_t time; /* of its link */
	struct grub_entry entry;
};

struct grub_generation {
	unsigned number;
	int64_t time; /* of the profile's link */
	const char *version;
	struct grub_entry entry;
	const struct grub_special *specials; /* in byte order of name */
	size_t n_specials;
};

struct grub_profile {
	const char *name;                          /* NULL: the system's own */
	const struct grub_generation *generations; /* newest first */
	size_t n;
};

struct grubcfg {
	const struct grub_form *form;
	size_t limit;                          /* configurationLimit: generations a profile */
	const struct grub_generation *current; /* boots by default */
	const struct grub_profile *profiles;   /* the system's own first */
	size_t n_profiles;
};

/* Append the menu's text. -ERR_FORMAT for a string that GRUB would misread. */
int grubcfg_format(const struct grubcfg *cfg, struct buf *out, struct err *err);

/*
 * Append the path of a generation of the system's own profile in that menu, as GRUB's "default"
 * and next_entry name it: "NixOS - All configurations>NixOS - Configuration 3 (…)". 1: the menu
 * does not show it.
 */
int grubcfg_entry(const struct grubcfg *cfg, unsigned number, struct buf *out, struct err *err);

/* "/nix/store/x-linux/bzImage" is copied as "x-linux-bzImage"; caller frees. */
char *grubcfg_copy_name(const char *path);

/*
 * The files that a form with copies wants under /boot/kernels: each once, in order of
 * first mention. *out is an array of borrowed paths that the caller frees.
 */
size_t grubcfg_copies(const struct grubcfg *cfg, const char ***out);

/* grub/state: what NixOS compares at the next rebuild to see what changed. */
void grubcfg_state(struct buf *out);

#endif
