/* SPDX-License-Identifier: MIT */
/* What the writers of boot menus share. */
#ifndef DOMSTRAP_REMENU_IN_H
#define DOMSTRAP_REMENU_IN_H

#include "nixos/grubcfg.h"
#include "remenu.h"

#define MENU_MAX (1u << 20) /* as much as domgrub reads */

/* What a system's entry has beside what is in struct inside_system; see below. */
struct remenu;
typedef int entry_fn(struct remenu *m, const struct inside_system *s, struct grub_entry *out,
                     struct err *err);

struct remenu {
	struct offline *off;
	const struct inside *in;
	const struct generation *current;
	unsigned limit; /* asked for; 0: as the menu has it */
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

/* remenu_model.c: what is in the guest, as writers take it. */
int remenu_model(struct remenu *m, entry_fn *fill, void *arg, struct err *err);
void remenu_model_fini(struct remenu *m);
/* Keep a string for as long as the model. */
const char *remenu_keep(struct remenu *m, char *text);
/*
 * How many generations a profile may show, from the menu that is there: it shows so
 * many of the system's own, down to number oldest. dflt: where it shows all.
 */
int remenu_limit(struct remenu *m, size_t shown, unsigned oldest, size_t dflt, size_t *out,
                 struct err *err);

/* remenu_copies.c: files beside the menu. */
/* Copy a path of the store, a file or a directory, into dir; what is there stays. */
int remenu_copy(struct remenu *m, const char *dir, const char *path, struct err *err);
/* Take away what keep() does not want. */
int remenu_drop(struct remenu *m, uint32_t dir, bool (*keep)(const char *name, void *arg),
                void *arg, struct err *err);

/* Put the new text in the old one's place. */
int remenu_put(struct remenu *m, const struct buf *text, struct err *err);

/* The writers. With check alone they only find out whether they can. */
int remenu_grub(struct remenu *m, bool check, struct err *err);
int remenu_extlinux(struct remenu *m, bool check, struct err *err);

#endif
