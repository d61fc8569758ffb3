/* SPDX-License-Identifier: MIT */
/* What both sides of unpacker.h share. */
#ifndef CACHE_UNPACKER_INTERNAL_H
#define CACHE_UNPACKER_INTERNAL_H

#include "cache/unpacker.h"
#include "jail/jail.h"
#include "jail/wire.h"

enum unpacker_message {
	UNPACKER_STEP = 1,
	UNPACKER_STOP,
	UNPACKER_NEED,
	UNPACKER_OUT,
	UNPACKER_FAILED,
	UNPACKER_STOPPED,
	UNPACKER_NARINFO,
	UNPACKER_NARINFO_IS,
	UNPACKER_CACHE_INFO,
	UNPACKER_CACHE_INFO_IS,
};

#define UNPACKER_NAME_MAX 64u
#define UNPACKER_IN_SLOTS 2u
#define UNPACKER_OUT_SLOTS 4u
#define UNPACKER_STEP_MAX (16u + 4u * UNPACKER_IN_SLOTS + UNPACKER_NAME_MAX)
#define UNPACKER_NARINFO_MAX (STORE_DIGEST_LEN + NARINFO_BYTES_MAX)

/*
 * A line's shared memory. Both sides use the slots in turn, and begin with the first one.
 * Larger slots are no faster: they do not fit in a core's cache.
 */
struct unpacker_memory {
	uint8_t in[UNPACKER_IN_SLOTS][512u << 10];
	uint8_t out[UNPACKER_OUT_SLOTS][512u << 10];
};

/* What the child gets by the fork. */
struct unpacker_child {
	struct unpacker_memory *memory; /* UNPACKER_LINES of them */
	int line[UNPACKER_LINES];
};

/* For jail_start(): arg is a struct unpacker_child. */
int unpacker_main(void *arg);

#endif
