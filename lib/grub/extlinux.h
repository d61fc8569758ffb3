/* SPDX-License-Identifier: MIT */
/*
 * extlinux, isolinux and syslinux menus. Keywords in any case, a line each:
 *
 *     DEFAULT label [args]   ONTIMEOUT label    TIMEOUT tenths    PROMPT 0|1
 *     UI module              INCLUDE file       APPEND, KERNEL, INITRD: for all labels
 *     MENU TITLE text        MENU HIDDEN        MENU INCLUDE file
 *     MENU BEGIN [tag] … MENU END               a submenu
 *     LABEL name
 *         MENU LABEL text    MENU DEFAULT       MENU DISABLE      TEXT HELP … ENDTEXT
 *         LINUX file         KERNEL file        INITRD file,…     APPEND args
 *         CONFIG file        COM32 module       LOCALBOOT, BOOT and so on: refused
 *
 * DEFAULT may be a kernel's file with arguments as well, where no label has that
 * name. An entry's body holds the lines from LINUX to BOOT above, and needs no others. Files
 * are relative to the directory of the first configuration; APPEND beside CONFIG
 * names the directory for the paths in that file.
 */
#ifndef GRUB_EXTLINUX_H
#define GRUB_EXTLINUX_H

#include <stdbool.h>

#include "base/str.h"

/* What a line is about; rest is what follows the keyword. */
enum extlinux_word {
	EXT_NONE, /* empty, a comment, or of no consequence here */
	EXT_DEFAULT,
	EXT_ONTIMEOUT,
	EXT_TIMEOUT,
	EXT_PROMPT,
	EXT_UI,
	EXT_INCLUDE,
	EXT_LABEL,
	EXT_LINUX,
	EXT_KERNEL,
	EXT_INITRD,
	EXT_APPEND,
	EXT_CONFIG,
	EXT_COM32, /* a module of syslinux, such as menu.c32 */
	EXT_REFUSED,
	EXT_TEXT,
	EXT_ENDTEXT,
	EXT_MENU_TITLE,
	EXT_MENU_HIDDEN,
	EXT_MENU_BEGIN,
	EXT_MENU_END,
	EXT_MENU_LABEL,
	EXT_MENU_DEFAULT,
	EXT_MENU_DISABLE,
	EXT_MENU_GOTO, /* GOTO, EXIT, QUIT: an entry that boots nothing */
};

/* Cut the next line off *text; false at the end. */
bool extlinux_line(struct str *text, enum extlinux_word *word, struct str *rest, struct str *line);

/* Cut the first word off *s, with the blanks after it. */
struct str extlinux_cut(struct str *s);

#endif
