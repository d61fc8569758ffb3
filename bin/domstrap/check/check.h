/* SPDX-License-Identifier: MIT */
/* Parts of "domstrap check": each adds its findings. */
#ifndef DOMSTRAP_CHECK_H
#define DOMSTRAP_CHECK_H

#include "ui/findings.h"
#include "host/arguments.h"

/* Xen, xl, and what the config, if there is one, needs on the host. */
void check_host(const struct arguments *a, struct findings *out);

/*
 * The disks that the boot helper gets: the first one and those of its --disk=. If the guest has
 * more, read these again without the others. -ERR_CHILD as inspector_run().
 */
int check_helper(const struct arguments *a, struct findings *out, struct err *err);

/* Check the start by the child's answer: kernel, drivers, root, console, init. */
void check_guest(const struct arguments *a, const json_t *seen, struct findings *out);
/*
 * One way to start, called name: a menu entry (inspector_menu.c), or what the host boots. seen: the
 * child's answer, with kernels and file systems.
 */
void check_start(const struct arguments *a, const json_t *seen, const json_t *start,
                 const char *name, struct findings *out);

#endif
