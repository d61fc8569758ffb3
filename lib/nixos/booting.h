/* SPDX-License-Identifier: MIT */
/*
 * What a guest that is off boots: the kernel that its xl config names, or what
 * its boot menu says, evaluated as domgrub does. Whatever that can boot is never
 * deleted, and a change that it would not follow is refused.
 */
#ifndef NIXOS_BOOTING_H
#define NIXOS_BOOTING_H

#include <stdbool.h>

#include "guest/boots.h"

struct off_guest;
struct off_guest_fs;
struct xlcfg_guest;

enum booting_kind {
	BOOTING_NOTHING, /* there is no menu, and no config that names a kernel */
	BOOTING_UNKNOWN, /* the menu cannot be read */
	BOOTING_MENU,
	BOOTING_CONFIG, /* the config's kernel= */
};

/* Start from zeros; end with booting_fini(). Texts may be the guest's own. */
struct booting {
	enum booting_kind kind;
	struct boots menu;   /* where there is one, whatever boots */
	char *menu_place;    /* "(hd0,msdos1)/boot/grub/grub.cfg"; NULL: there is none */
	bool foreign;        /* it is a menu that menu_rewrite() cannot write */
	const char *place;   /* the menu or config that decides; borrowed */
	char *init;          /* of what boots by default; NULL: it has none */
	char *toplevel;      /* the store path that it is in; NULL: in none */
	char *why;           /* why nothing is known of what boots by default; NULL: it is known */
	bool once;           /* the next start boots something else, for once: next_entry in GRUB */
	char *once_toplevel; /* the store path that it is in; NULL: in none, or not once */
};

/* The boot settings of the xl config; texts are borrowed, NULL: not set. */
struct booting_config {
	const char *path;
	const char *kernel,
	        *ramdisk; /* kernel and initrd of the host, which are booted without a menu */
	bool in_guest;    /* kernel is a path there, which the boot helper takes */
	const char *cmdline;
	const char *entry; /* the menu entry that the boot helper's arguments choose */
	bool writes; /* what evaluates the menu writes GRUB's environment block; so without path */
};

#define BOOTING_HELPER "domgrub"
#define BOOTING_WRITE_ENV "--write-env" /* its argument, without which it does not */

/* path NULL: there is no config. */
struct booting_config booting_config(const char *path, const struct xlcfg_guest *cfg);

/*
 * Look at the guest's disks, or at what they will be once the changes are
 * committed: staged says that ext4_edit_stage() was called. What is wrong with the
 * menu is in *out. -ERR_* where the disks cannot be read.
 */
int booting_read(struct off_guest *off, const struct booting_config *config, bool staged,
                 struct booting *out, struct err *err);
void booting_fini(struct booting *b);

/* The store path that an init= lies in once links are followed; *out NULL: in none. */
int booting_toplevel(struct off_guest_fs *root, const char *init, char **out, struct err *err);

/* Something that can be booted. */
struct booting_item {
	const char *title;    /* of the menu entry; NULL: it is in the config */
	const char *toplevel; /* NULL: none */
	const char *const *v; /* texts that may name store paths, n of them */
	size_t n;
};

/* Everything that can boot; fn's nonzero result ends it and is returned. */
int booting_each(struct off_guest *off, const struct booting *b,
                 const struct booting_config *config,
                 int (*fn)(void *arg, const struct booting_item *item, struct err *err), void *arg,
                 struct err *err);

#endif
