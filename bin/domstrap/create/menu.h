/* SPDX-License-Identifier: MIT */
/*
 * The guest's boot menu: from the system and its specialisations to /boot.
 */
#ifndef DOMSTRAP_MENU_H
#define DOMSTRAP_MENU_H

#include "create/create.h"
#include "nixos/grubcfg.h"

/* Owns all that its menu borrows. */
struct menu {
	struct nixos_system *systems; /* of the specialisations */
	struct grub_special *specials;
	char **names, **params;
	size_t n;
	char *main_params;
	char root_id[64], boot_id[64];
	struct grub_generation generation;
	struct grub_profile profile;
	struct grub_form form;
	struct grubcfg cfg;
	int *fds; /* of copied kernels; n_fds */
	size_t n_fds;
};

/*
 * Build the menu for generation 1 and add it to the tree, boot being the path of
 * /boot in it ("" for the tree's top). The tree borrows from *out until it is
 * written. A system without kernel or initrd gets no menu.
 */
int menu_add(struct guest *g, struct tree *t, const char *boot, struct menu *out, struct err *err);
void menu_fini(struct menu *m);

#endif
