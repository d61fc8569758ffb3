/* SPDX-License-Identifier: MIT */
/* A grown partition table (disk/table_grow.h) and the disk that gets it. */
#ifndef NIXOS_ENLARGE_TABLE_H
#define NIXOS_ENLARGE_TABLE_H

#include "disk/table_grow.h"
#include "ext4/target.h"

/* As table_grow(). */
int enlarge_table_plan(struct target *t, uint64_t base, uint64_t disk, uint64_t want,
                       struct table_growth *out, struct err *err);
int enlarge_table_write(struct target *t, const struct table_growth *c, struct err *err);
/* Write back the old contents of the disk's start. */
int enlarge_table_undo(struct target *t, const struct table_growth *c, struct err *err);

#endif
