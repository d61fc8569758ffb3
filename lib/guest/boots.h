/* SPDX-License-Identifier: MIT */
/*
 * All that a guest's boot menu can boot: the menu that domgrub would show,
 * every entry of it and of its submenus evaluated, and what boots where nobody
 * chooses. Texts are the guest's own.
 */
#ifndef GUEST_BOOTS_H
#define GUEST_BOOTS_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define BOOTS_DEPTH_MAX 8u      /* menus within each other */
#define BOOTS_ENTRIES_MAX 4096u /* of all menus */

struct grub_files;

/* Whose language it is written in. */
enum boots_dialect {
	BOOTS_GRUB,
	BOOTS_EXTLINUX,
	BOOTS_LEGACY, /* menu.lst */
	BOOTS_BLS,    /* entries of the Boot Loader Specification */
};

struct boots_entry {
	char *title;  /* "submenu > entry" */
	char *kernel; /* its path in its file system; NULL: nothing boots */
	char **initrds;
	size_t n_initrds;
	char *args; /* that the kernel gets */
};

struct boots {
	enum boots_dialect dialect;
	size_t dev; /* where the menu lies */
	char *path;
	struct boots_entry *v; /* the entries that boot something */
	size_t n, cap;
	struct boots_entry chosen; /* what boots by default */
	char *why;                 /* nothing does; NULL: something does */
	char *unknown;             /* why entries are left out that may boot; NULL: none are */
};

/*
 * more: what the xl config adds to the arguments of whatever boots; NULL: nothing.
 * entry: what it lets the boot helper take in place of the menu's own default, a
 * number or a title; NULL: nothing. -ERR_NOENT: there is no menu; else -ERR_* where
 * one cannot be read.
 */
int boots_read(struct grub_files *files, const char *more, const char *entry, struct boots *out,
               struct err *err);
void boots_fini(struct boots *b);

/* The last "init=" of a command line, as Linux and NixOS's first stage take it; p NULL: none. */
struct str boots_init(const char *args);

#endif
