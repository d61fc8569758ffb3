/* SPDX-License-Identifier: MIT */
/*
 * Everything that a guest's boot menu can boot: the menu that domgrub would
 * show, with every entry of it and of its submenus evaluated, the default
 * entry, and the one of the next start. The texts are untrusted.
 */
#ifndef GUEST_BOOTS_H
#define GUEST_BOOTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define BOOTS_DEPTH_MAX 8u      /* nested menus */
#define BOOTS_ENTRIES_MAX 4096u /* of all menus */

struct grub_files;

/* The menu's format. */
enum boots_dialect {
	BOOTS_GRUB,
	BOOTS_EXTLINUX,
	BOOTS_LEGACY, /* menu.lst */
	BOOTS_BLS,    /* entries of the Boot Loader Specification */
};

struct boots_entry {
	char *title;  /* "submenu > entry" */
	char *kernel; /* its path in its file system; NULL: none */
	char **initrds;
	size_t n_initrds;
	char *args; /* of the kernel */
};

struct boots {
	enum boots_dialect dialect;
	size_t dev; /* the device with the menu */
	char *path;
	struct boots_entry *v; /* the entries that can boot */
	size_t n, cap;
	/*
	 * What the next start boots, and what boots by default. The two differ where the menu has
	 * an entry for one start only (GRUB's next_entry), or one with a single try left
	 * (blscount.h), and "writes" was set.
	 */
	struct boots_entry next, chosen;
	bool once;     /* they may differ: the next start changes what the menu says */
	char *why;     /* why there is no default entry; NULL: there is one */
	char *unknown; /* why v may lack entries that can boot; NULL: it is complete */
};

/* Settings of the xl config. */
struct boots_settings {
	const char *more;  /* appended to the arguments of every entry; NULL: none */
	const char *entry; /* passed to the boot helper, a number or a title; NULL: the menu's */
	bool writes;       /* whoever evaluates the menu writes GRUB's environment block and counts
	                      tries */
};

/* -ERR_NOENT: there is no menu; another -ERR_*: a menu cannot be read. */
int boots_read(struct grub_files *files, const struct boots_settings *set, struct boots *out,
               struct err *err);
void boots_fini(struct boots *b);

/* The value of the last word of a kernel's arguments that begins so ("root="); p NULL: none. */
struct str boots_argument(const char *args, const char *name);
/* The last "init=", which Linux and NixOS's stage 1 use. */
struct str boots_init(const char *args);

#endif
