/* SPDX-License-Identifier: MIT */
/* A guest's files as a start leaves them: with what domgrub writes, see grub_boot. */
#ifndef GUEST_AFTER_H
#define GUEST_AFTER_H

#include <stdbool.h>

#include "grub/menu.h"

struct files_after {
	struct grub_files files; /* these */
	struct grub_files *now;
	const struct grub_boot *boot;
	char *dir, *next; /* of the file with a boot counter: its directory, its next path */
};

/* Whether the start changes any; *out borrows the others, and files_after_fini() ends it. */
bool files_after_init(struct files_after *out, struct grub_files *now,
                      const struct grub_boot *boot);
void files_after_fini(struct files_after *f);

#endif
