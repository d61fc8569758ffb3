/* SPDX-License-Identifier: MIT */
/*
 * What a former tenant may have left on a disk that is used again: --wipe.
 */
#ifndef DOMSTRAP_OLD_DATA_H
#define DOMSTRAP_OLD_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct target;

/* What will be cleared, and how long that takes, roughly. */
struct old_data {
	uint64_t bytes;
	double seconds; /* 0: next to nothing, the host has a fast way */
};

/*
 * Of a disk, bytes from off to end will not be written. wipe: say that they are
 * cleared, or would be in a dry run, and set *out. Else look whether there is
 * something in them, and say so.
 */
int old_data_look(struct target *t, uint64_t off, uint64_t end, bool wipe, bool dry_run,
                  struct old_data *out, struct err *err);

#endif
