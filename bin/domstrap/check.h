/* SPDX-License-Identifier: MIT */
/* Parts of "domstrap check": each adds what it finds. */
#ifndef DOMSTRAP_CHECK_H
#define DOMSTRAP_CHECK_H

#include "findings.h"
#include "look.h"

/* Xen, xl, and what the config, if there is one, wants of the host. */
void check_host(const struct arguments *a, struct findings *out);

/*
 * What the boot helper is given: the first disk and those of its own --disk=. Where
 * these are not all, they are looked at by themselves. -ERR_CHILD as of look().
 */
int check_helper(const struct arguments *a, struct findings *out, struct err *err);

/* The start out of a look: kernel, drivers, root, console, init. */
void check_guest(const struct arguments *a, const json_t *seen, struct findings *out);
/*
 * One way to start, called name: a menu's entry (look_menu.c), or what the host
 * boots. seen: the look, for its kernels and file systems.
 */
void check_start(const struct arguments *a, const json_t *seen, const json_t *start,
                 const char *name, struct findings *out);

#endif
