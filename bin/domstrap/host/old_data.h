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

/* Bytes of a disk that a command does not fill. */
struct old_data {
	uint64_t from, to;
	/* To be wiped: */
	uint64_t bytes;
	double seconds; /* roughly; 0: next to nothing, the host has a fast way */
};

/*
 * With from and to set. wipe: say that they are cleared, or would be in a dry run, and set the
 * rest. Else look whether there is something in them, and say so.
 */
int old_data_look(struct old_data *d, struct target *t, bool wipe, bool dry_run, struct err *err);

#endif
