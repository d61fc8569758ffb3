/* SPDX-License-Identifier: MIT */
/*
 * extlinux.conf in the form of NixOS's generic-extlinux-compatible builder.
 *
 *     menu   = { text | default | generations }
 *     entry  = LABEL nixos-TAG
 *                MENU LABEL NixOS - Default
 *                         | NixOS - Configuration TAG (DATE TIME - VERSION)
 *                LINUX ../nixos/HASH-linux-…-Image      or the path in the store
 *                INITRD ../nixos/HASH-initrd-…-initrd
 *                APPEND [ systemConfig=SYSTEM ] init=SYSTEM/init …
 *                [ FDTDIR ../nixos/HASH-…  |  FDT ../nixos/HASH-…/NAME ]
 *     TAG    = "default" | NUMBER | NUMBER-default | NUMBER-SPECIALISATION
 *
 * Text is what is before the first label (title, TIMEOUT), and other labels; it
 * stays byte for byte, but for a DEFAULT that names one of NixOS's labels.
 */
#ifndef NIXOS_EXTLINUXCFG_H
#define NIXOS_EXTLINUXCFG_H

#include "nixos/grubcfg.h"

enum extlinux_piece_kind {
	EXTLINUX_TEXT,
	EXTLINUX_DEFAULT,
	EXTLINUX_GENERATIONS,
};

struct extlinux_piece {
	enum extlinux_piece_kind kind;
	char *text; /* EXTLINUX_TEXT */
};

/* What the old menu says of an entry. */
struct extlinux_known {
	char *tag;
	char *init;
	char *when; /* "2025-10-03 12:00"; NULL: it does not say */
};

struct extlinux_form {
	struct extlinux_piece *pieces;
	size_t n, cap;
	char *distro;  /* "NixOS"; in every title */
	char *dir;     /* of kernels and initrds, as the menu names it, with its slash */
	bool copies;   /* dir is that of copies, not the store */
	bool specials; /* entries of specialisations, and "-default" behind numbers */
	bool system_config;
	bool trees;      /* device trees are named */
	char *tree_name; /* with FDT: the file; NULL: FDTDIR */
	struct extlinux_known *known;
	size_t n_known, known_cap;
	size_t shown;    /* generations */
	unsigned oldest; /* number of the last one shown */
};

/*
 * Parse a menu. name is the file's, for messages. -ERR_UNSUPPORTED: it is not in NixOS's form; the
 * text says why.
 */
int extlinux_form_learn(const char *name, struct str text, struct extlinux_form *out,
                        struct err *err);
void extlinux_form_fini(struct extlinux_form *f);
/* Whether the text that is kept names this file of the directory of copies. */
bool extlinux_form_mentions(const struct extlinux_form *f, const char *name);

struct extlinuxcfg {
	const struct extlinux_form *form;
	size_t limit; /* configurationLimit */
	const struct grub_generation *current;
	const struct grub_profile *profile; /* the system's own */
};

/* Append the menu's text. -ERR_FORMAT for a string that would be misread. */
int extlinuxcfg_format(const struct extlinuxcfg *cfg, struct buf *out, struct err *err);

/* The files and directories that a form with copies wants; see grubcfg_copies(). */
size_t extlinuxcfg_copies(const struct extlinuxcfg *cfg, const char ***out);

#endif
