/* SPDX-License-Identifier: MIT */
/*
 * A larger disk for a guest that is off: the file, its partition, the file
 * system.
 */
#ifndef DOMSTRAP_ENLARGE_H
#define DOMSTRAP_ENLARGE_H

#include "enlarge_table.h"
#include "nixos/off_guest.h"

/* What --size or --boot-size asks for. */
struct size_wish {
	enum {
		WISH_NONE,
		WISH_ALL, /* of the device */
		WISH_SET, /* bytes of the disk */
		WISH_ADD, /* bytes more */
	} kind;
	uint64_t bytes;
	bool wipe;               /* of a device: all behind the file system, first */
	const atomic_bool *stop; /* ends that; may be NULL */
};

/* "20G", "+5G", "all", of an option. */
int size_wish_parse(const char *option, const char *text, struct size_wish *out, struct err *err);

/* What was done to a disk, and how it was. Zeroed memory: nothing. */
struct enlarged {
	struct target *target;
	uint64_t size; /* of the file; 0: it was not changed */
	struct table_change table;
	bool tried; /* the table may have been written */
};

/*
 * Enlarge file and partition of one file system of the guest, and put its own
 * growth into its changes, which must be empty. 1: it is that large already.
 * -ERR_USAGE: smaller than it is; -ERR_SPACE: more than the device has;
 * -ERR_UNSUPPORTED: a partition that cannot grow.
 */
int enlarge(struct off_guest *off, struct off_guest_fs *fs, const struct size_wish *wish,
            struct enlarged *old, struct err *err);

/* Say so, also what --wipe would do, and let fs->size be what it would be. */
int enlarge_check(struct off_guest_fs *fs, const struct size_wish *wish, struct err *err);

/* As it was, where the change has not happened. */
void enlarge_undo(const struct enlarged *old);
void enlarged_fini(struct enlarged *old);

#endif
