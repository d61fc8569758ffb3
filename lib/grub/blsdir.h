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

/* Whether a name ends with this, in lower case. */
bool blsdir_ends(struct str name, const char *end, bool any_case);

static inline bool blsdir_is_conf(struct str name, bool any_case)
{
	return blsdir_ends(name, ".conf", any_case);
}

/* Append the names of files that end with this; at most as many as a menu may have entries. */
int blsdir_names(const struct blsdir *d, const char *end, struct grub_texts *out, struct err *err);

/* Takes a file's name and contents, borrowed for the call. */
typedef void blsdir_fn(void *arg, struct str name, struct str text);

/*
 * Every file NAME.conf, in the directory's order; one that cannot be read is
 * named in a warning. 0 or -ERR_*.
 */
int blsdir_read(const struct blsdir *d, blsdir_fn *fn, void *arg, struct grub_texts *warnings,
                struct err *err);

#endif
