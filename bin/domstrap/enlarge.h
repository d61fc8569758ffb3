/* SPDX-License-Identifier: MIT */
/*
 * A larger root disk for a guest that is off: the file, its partition, the file
 * system.
 */
#ifndef DOMSTRAP_ENLARGE_H
#define DOMSTRAP_ENLARGE_H

#include "offline_options.h"

/* What --size asks for. */
struct size_wish {
	enum {
		WISH_NONE,
		WISH_ALL, /* of the device */
		WISH_SET, /* bytes of the disk */
		WISH_ADD, /* bytes more */
	} kind;
	uint64_t bytes;
};

/* "20G", "+5G", "all". */
int size_wish_parse(const char *text, struct size_wish *out, struct err *err);

/*
 * Enlarge file and partition, and put the file system's growth into the root's
 * changes, which must be empty. The old end is in *old, for enlarge_undo().
 * 1: it is that large already. -ERR_USAGE: smaller than it is; -ERR_SPACE: more
 * than the device has; -ERR_UNSUPPORTED: a partition that cannot grow.
 */
struct enlarged {
	uint64_t size; /* of the file; 0: it was not changed */
	uint8_t sector[512];
	bool table; /* sector 0 was changed */
};
int enlarge(struct offline *off, const struct size_wish *wish, struct enlarged *old,
            struct err *err);

/* As it was, where the change has not happened. */
void enlarge_undo(struct offline *off, const struct enlarged *old);

#endif
