/* SPDX-License-Identifier: MIT */
/*
 * The form of one guest's GRUB menu: all of it but the generations. It is the
 * form that this program gives a new menu, or what a menu that NixOS's
 * installer wrote says of the settings it was written with.
 *
 *     menu     = { text | entries | profile }
 *     entries  = menuentry "NixOS" … and its specialisations
 *     profile  = submenu "NixOS - All configurations" … { generation }
 *              | submenu "NixOS - Profile 'x'" … { generation }
 *     entry    = menuentry "NAME" OPTIONS { HEAD linux … MIDDLE initrd … TAIL }
 *
 * Text is whatever the file system searches, passwords, fonts, extraConfig and
 * extraEntries made of it; it stays byte for byte. So do HEAD, MIDDLE and TAIL of
 * the default entry, which all entries have in common: the searches again,
 * savedefault, extraPerEntryConfig.
 */
#ifndef NIXOS_GRUBFORM_H
#define NIXOS_GRUBFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* How GRUB finds a file system; NixOS's fsIdentifier. */
enum grub_identifier {
	GRUB_BY_UUID,
	GRUB_BY_LABEL,
	GRUB_PROVIDED, /* it does not: the device that GRUB came from is it */
};

enum grub_piece_kind {
	GRUB_TEXT,
	GRUB_DEFAULT,  /* the default system's entry */
	GRUB_SPECIALS, /* its specialisations, where they do not follow it at once */
	GRUB_PROFILE,
};

struct grub_piece {
	enum grub_piece_kind kind;
	char *text;   /* GRUB_TEXT; GRUB_PROFILE: its name, NULL for the system's own */
	char *before; /* GRUB_PROFILE: what is no generation, before and behind them; or NULL */
	char *behind;
};

/* An entry of a generation, or of a specialisation, that the old menu had. */
struct grub_known {
	char *init;
	char *profile;   /* NULL: the system's own */
	unsigned number; /* 0: none, of the default system or a specialisation */
	char *day;       /* as its title has it; NULL: it has none */
	char *secrets;   /* file name of its second initrd; NULL: none */
};

struct grub_form {
	struct grub_piece *pieces;
	size_t n;
	char *distro; /* "NixOS"; in every title */
	char *options, *sub_options, *submenu_options;
	char *mark; /* before the title of a generation that is a submenu */
	char *head, *middle, *tail;
	char *dir;         /* of kernels and initrds, as GRUB names it, with its slash */
	char *secrets_dir; /* of second initrds; NULL: not known */
	char *more;        /* initrds that every entry has; "", or each with a blank before it */
	bool copies;       /* dir is that of copied kernels, not the store */
	bool nested;       /* a generation with specialisations is a submenu of its own */
	bool system_config;
	struct grub_known *known;
	size_t n_known, known_cap;
	char *special_day; /* of specialisations; NULL: none is known */
	size_t shown;      /* generations of the system's own profile */
	unsigned oldest;   /* number of the last one shown */
};

/* What a new menu is made for. */
struct grub_place {
	enum grub_identifier by;
	const char *boot_id, *root_id; /* UUIDs or labels of the two file systems */
	bool separate_boot;            /* /boot is a file system of its own */
	bool copy_kernels;             /* always with separate_boot */
	unsigned timeout;              /* seconds */
};

/* The form of a new menu; grub_form_fini() it. */
void grub_form_new(const struct grub_place *place, struct grub_form *out);

/*
 * What a menu's text says. name is the file's, for messages. -ERR_UNSUPPORTED: it
 * is not in NixOS's form, and why.
 */
int grub_form_learn(const char *name, struct str text, struct grub_form *out, struct err *err);

void grub_form_fini(struct grub_form *f);

/* The entry of a generation, or the first with this init; NULL: the menu had none. */
const struct grub_known *grub_form_number(const struct grub_form *f, const char *profile,
                                          unsigned number, const char *init);
const struct grub_known *grub_form_init(const struct grub_form *f, const char *init);

/* Whether the text that stays names this file of the directory of copied kernels. */
bool grub_form_mentions(const struct grub_form *f, const char *name);

#endif
