/* SPDX-License-Identifier: MIT */
/*
 * Clearing what a former tenant left on a device or in a file that is reused.
 */
#ifndef EXT4_WIPE_H
#define EXT4_WIPE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct target;

/* Who watches; all may be NULL. */
struct wipe_watch {
	const atomic_bool *stop; /* then -ERR_INTERRUPTED, between two pieces */
	_Atomic uint64_t *done;  /* grows by every byte that was cleared */
};

/*
 * Make n bytes at off read as zeros, all multiples of 512. Blocks are given
 * back where the host promises that they then read as zeros (a plain discard
 * promises nothing); elsewhere zeros are written, but not over zeros where
 * that could fill a thin volume.
 */
int wipe(struct target *t, uint64_t off, uint64_t n, const struct wipe_watch *watch,
         struct err *err);

/* About how many seconds wiping n bytes will take, judged by reading a little. */
double wipe_seconds(const struct target *t, uint64_t n);

/*
 * Look at a few places from off to end for something other than zeros: finds
 * what was there in a disk that was ever full, but not every byte.
 */
int wipe_sample(struct target *t, uint64_t off, uint64_t end, bool *found, struct err *err);

#endif
