/* SPDX-License-Identifier: MIT */
/*
 * Clearing old data on a device, or in a file, that is reused.
 */
#ifndef EXT4_WIPE_H
#define EXT4_WIPE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct target;

/* Cancellation and progress; each may be NULL. */
struct wipe_watch {
	const atomic_bool *stop; /* if set: -ERR_INTERRUPTED after the current piece */
	_Atomic uint64_t *done;  /* counts cleared bytes */
};

/*
 * Make n bytes at off read as zeros; both are multiples of 512. Blocks are
 * discarded if the host guarantees that they then read as zeros (a plain discard
 * does not); otherwise zeros are written, but not over zeros if that could fill a
 * thin volume.
 */
int wipe(struct target *t, uint64_t off, uint64_t n, const struct wipe_watch *watch,
         struct err *err);

/* The estimated seconds to wipe n bytes, from the time to read a few MiB. */
double wipe_seconds(const struct target *t, uint64_t n);

/*
 * Read a few samples from off to end, and set *found if one is not all zeros. This
 * finds the data of a disk that was full, but may miss small amounts.
 */
int wipe_sample(struct target *t, uint64_t off, uint64_t end, bool *found, struct err *err);

#endif
