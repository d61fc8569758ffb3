/* SPDX-License-Identifier: MIT */
/* What the writers of boot menus share. */
#ifndef NIXOS_MENU_REWRITE_INTERNAL_H
#define NIXOS_MENU_REWRITE_INTERNAL_H

#include "nixos/grubcfg.h"
#include "nixos/menu_rewrite.h"

#define MENU_MAX (1u << 20) /* as much as domgrub reads */

/* What a system's entry has beside what is in struct guest_system; see below. */
struct menu_rewrite;
typedef int entry_fn(struct menu_rewrite *m, const struct guest_system *s, struct grub_entry *out,
                     struct err *err);

struct menu_rewrite {
	struct off_guest *off;
	const struct guest_state *in;
	const struct generation *current;
	unsigned limit; /* asked for; 0: as the menu has it */
	enum trial_step trial;
	const struct generation *tried;
	enum menu_kind kind;
	char *path; /* of the menu in the boot file system */
	char *dir;  /* of what it names beside it: /boot, or "" */
	uint32_t mode;
	struct buf old;

	/* The generations for a writer. */
	entry_fn *fill;
	void *arg; /* fill's */
	struct grub_profile *profiles;
	size_t n_profiles;
	struct grub_generation **generations; /* by profile, newest first */
	struct grub_generation default_system;
	struct grub_special **specials;
	size_t n_specials, specials_cap;
	char **strings; /* that fill made */
	size_t n_strings, strings_cap;
};

/* menu_rewrite_model.c: what is in the guest, as writers take it. */
int menu_rewrite_model(struct menu_rewrite *m, entry_fn *fill, void *arg, struct err *err);
void menu_rewrite_model_fini(struct menu_rewrite *m);
/* Keep a string for as long as the model. */
const char *menu_rewrite_keep(struct menu_rewrite *m, char *text);
/*
 * How many generations a profile may show, from the menu that is there: it shows so
 * many of the system's own, down to number oldest. dflt: where it shows all.
 */
int menu_rewrite_limit(struct menu_rewrite *m, size_t shown, unsigned oldest, size_t dflt,
                       size_t *out, struct err *err);

/* menu_rewrite_copies.c: files beside the menu. */
/* Copy a path of the store, a file or a directory, into dir; what is there stays. */
int menu_rewrite_copy(struct menu_rewrite *m, const char *dir, const char *path, struct err *err);
/* Take away what keep() does not want. */
int menu_rewrite_drop(struct menu_rewrite *m, uint32_t dir,
                      bool (*keep)(const char *name, void *arg), void *arg, struct err *err);

/* Put the new text in the old one's place. */
int menu_rewrite_put(struct menu_rewrite *m, const struct buf *text, struct err *err);

/* The writers. With check alone they only find out whether they can. */
int menu_rewrite_grub(struct menu_rewrite *m, bool check, struct err *err);
int menu_rewrite_extlinux(struct menu_rewrite *m, bool check, struct err *err);

#endif
