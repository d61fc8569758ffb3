/* SPDX-License-Identifier: MIT */
/*
 * A disk as it will be once the changes of the file systems in it are committed:
 * for whoever wants to look at that before. See ext4_edit_stage().
 */
#ifndef EXT4_STAGED_H
#define EXT4_STAGED_H

#include "disk/window.h"
#include "ext4/ext4_edit.h"

#define STAGED_EDITS_MAX 2

/* All of it is borrowed. */
struct staged {
	struct source src;
	struct target *target;
	struct ext4_edit *edits[STAGED_EDITS_MAX]; /* of its file systems; NULL: none */
};

void staged_init(struct staged *s, struct target *target);

#endif
