/* SPDX-License-Identifier: MIT */
/* The host's side of a guest whose config boots kernel and initrd beside it: direct.h. */
#ifndef NIXOS_DIRECT_HOST_H
#define NIXOS_DIRECT_HOST_H

#include "nixos/direct.h"

/*
 * What the config, which has a kernel=, and its files are, before anything of the guest is
 * read. *out is the caller's, to close.
 */
int direct_host_open(const char *config, struct direct_host **out, struct err *err);
/* Drops what was not published. NULL is allowed. */
void direct_host_close(struct direct_host *h);

#endif
