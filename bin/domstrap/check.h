/* SPDX-License-Identifier: MIT */
/* Parts of "domstrap check": each adds what it finds. */
#ifndef DOMSTRAP_CHECK_H
#define DOMSTRAP_CHECK_H

#include "findings.h"
#include "look.h"

/* Xen, xl, and what the config wants of the host. cfg: NULL where there is none. */
void check_host(const struct arguments *a, struct findings *out);

/* The start out of a look: kernel, drivers, root, console, init. */
void check_guest(const struct arguments *a, const json_t *seen, struct findings *out);
/*
 * One way to start: a menu's entry or what the host boots. name: of it. seen: the
 * look, for its kernels and file systems; place: where its disks are unknown, NULL.
 */
void check_start(const struct arguments *a, const json_t *seen, const json_t *start,
                 const char *name, struct findings *out);

#endif
