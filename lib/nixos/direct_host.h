/* SPDX-License-Identifier: MIT */
/* The host's side of a guest whose config boots kernel and initrd beside it: direct.h. */
#ifndef NIXOS_DIRECT_HOST_H
#define NIXOS_DIRECT_HOST_H

#include "nixos/direct.h"

/*
 * Read the config, which has a kernel=, and open its files, before the guest is read. The caller
 * closes *out.
 */
int direct_host_open(const char *config, struct direct_host **out, struct err *err);
/* Drops what was not published. NULL is allowed. */
void direct_host_close(struct direct_host *h);

#endif
