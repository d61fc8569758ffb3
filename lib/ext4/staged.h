/* SPDX-License-Identifier: MIT */
/*
 * A read-only view of a disk as it will be after the staged changes of its file
 * systems are committed. See ext4_edit_stage().
 */
#ifndef EXT4_STAGED_H
#define EXT4_STAGED_H

#include "disk/window.h"
#include "ext4/ext4_edit.h"

#define STAGED_EDITS_MAX 2

/* Everything is borrowed. */
struct staged {
	struct source src;
	struct target *target;
	struct ext4_edit *edits[STAGED_EDITS_MAX]; /* of its file systems; NULL: none */
};

void staged_init(struct staged *s, struct target *target);

#endif
