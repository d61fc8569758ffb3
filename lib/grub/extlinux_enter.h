/* SPDX-License-Identifier: MIT */
/* Between extlinux.c, extlinux_enter.c and extlinux_module.c. */
#ifndef GRUB_EXTLINUX_ENTER_H
#define GRUB_EXTLINUX_ENTER_H

#include "grub/extlinux.h"
#include "grub/menu.h"

/* An entry's lines: the last of each kind counts. */
struct extlinux_body {
	enum extlinux_word kind; /* of the kernel line: EXT_NONE, where there is none */
	struct str kernel, kernel_args, initrds, initrd_args, append, refused;
	struct str more; /* behind all other arguments */
};

struct extlinux_body extlinux_body(struct str text);

/* Append the path that a name in a configuration stands for. */
void extlinux_path(const struct grub_menu *m, struct str name, struct buf *path);

/* Does a file's name have this suffix, in upper or lower case? */
bool extlinux_suffix(struct str name, const char *suffix);

int extlinux_load(struct grub_menu *m, struct str text, struct err *err);

/* Another file as a menu; "base" (empty: as here) is where its names begin: 1 or -ERR_*. */
int extlinux_open(struct grub_menu *m, struct str name, struct str base, struct grub_menu **next,
                  struct err *err);

int extlinux_enter(struct grub_menu *m, const struct grub_entry *e, struct str body,
                   struct grub_boot *boot, struct grub_menu **next, struct err *err);

/*
 * An entry whose kernel is a .c32 module that leads to Linux: 0 and *b is what it boots or as it
 * was, 1 and *next, or -ERR_*.
 */
int extlinux_module(struct grub_menu *m, struct extlinux_body *b, struct grub_menu **next,
                    struct err *err);

#endif
