/* SPDX-License-Identifier: MIT */
/* Enlarging a disk of a guest that is off: the file, its partition, the file system. */
#ifndef NIXOS_ENLARGE_H
#define NIXOS_ENLARGE_H

#include "ext4/wipe.h"
#include "nixos/enlarge_table.h"
#include "nixos/off_guest.h"

struct enlarge_range {
	uint64_t from, to; /* bytes of the device */
	bool wipe, dry_run;
};

/*
 * How a caller follows what happens to the bytes of a device behind the file system, which a former
 * tenant may have written, and which become part of it.
 */
struct enlarge_watch {
	struct wipe_watch wipe;
	/* Called first, with the range and whether it is, or would be, wiped; an error ends all. */
	int (*found)(struct target *t, const struct enlarge_range *range, struct err *err);
	void (*begins)(uint64_t bytes); /* to be wiped; then ends() in any case */
	void (*ends)(void);
};

/* The argument of --size or --boot-size. */
struct size_wish {
	enum {
		WISH_NONE,
		WISH_ALL, /* of the device */
		WISH_SET, /* bytes of the disk */
		WISH_ADD, /* bytes more */
	} kind;
	uint64_t bytes;
	bool wipe; /* of a device: first clear everything after the file system */
	const struct enlarge_watch *watch;
};

/* What was changed in a disk, with the old values. Zeroed: nothing. */
struct enlarged {
	struct target *target;
	uint64_t size; /* of the file; 0: it was not changed */
	struct table_growth table;
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

/* Dry run: report it, also what --wipe would do, and set fs->size to the new size. */
int enlarge_check(struct off_guest_fs *fs, const struct size_wish *wish, struct err *err);

/* Restore the old state, if the change was not committed; the error says what stays changed. */
int enlarge_undo(const struct enlarged *old, struct err *err);
void enlarged_fini(struct enlarged *old);

#endif
