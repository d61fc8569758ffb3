/* SPDX-License-Identifier: MIT */
/* The host's side of a guest whose config boots kernel and initrd beside it: direct.h. */
#ifndef NIXOS_DIRECT_HOST_H
#define NIXOS_DIRECT_HOST_H

#include "base/outfile.h"
#include "nixos/direct.h"

struct direct_files {
	struct direct_host host;
	char *config;           /* its path, links followed */
	struct xlcfg_guest cfg; /* what it says */
	char *dir;              /* of the copies */
	struct direct_names names;
	struct outfile copy[DIRECT_FILES], next; /* next: the config to come */
};

/*
 * What the config, which has a kernel=, and its files are, before anything of the guest is
 * read. It stays where it is until direct_files_close().
 */
int direct_files_open(struct direct_files *f, const char *config, struct err *err);
/* Drops what was not published. */
void direct_files_close(struct direct_files *f);

#endif
