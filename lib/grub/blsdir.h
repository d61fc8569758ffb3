/* SPDX-License-Identifier: MIT */
/* The files of a directory of Boot Loader Specification entries, whoever reads them. */
#ifndef GRUB_BLSDIR_H
#define GRUB_BLSDIR_H

#include <stdbool.h>

#include "grub/menu.h"

struct blsdir {
	struct grub_files *files;
	const struct grub_limits *limits;
	size_t dev;
	struct str path;
	bool any_case; /* ".CONF" too, as systemd-boot has it */
};

bool blsdir_is_conf(struct str name, bool any_case);

/* Takes a file's name and contents, borrowed for the call. */
typedef void blsdir_fn(void *arg, struct str name, struct str text);

/*
 * Every file NAME.conf, in the directory's order; one that cannot be read is
 * named in a warning. 0 or -ERR_*.
 */
int blsdir_read(const struct blsdir *d, blsdir_fn *fn, void *arg, struct grub_texts *warnings,
                struct err *err);

#endif
