/* SPDX-License-Identifier: MIT */
/*
 * Logical volumes of LVM2, linear and striped, of one or several disks.
 *
 *     physical volume    label in one of the first four sectors: UUID, places of its areas
 *     metadata area      header of 512 bytes, then a ring of texts; the header has the current one
 *     text               the volume group: physical volumes, logical volumes as extents of those
 *     data area          the extents
 *
 * Of several texts of one group, the one with the highest sequence number counts.
 */
#ifndef DISK_LVM_H
#define DISK_LVM_H

#include <stddef.h>

#include "base/buf.h"
#include "disk/window.h"

#define LVM_ID_SIZE 39 /* a UUID as LVM prints it, and a NUL */

struct lvm;

struct lvm_volume {
	char *name; /* as GRUB and device mapper have it: "vg-lv", with each '-' in a name doubled
	             */
	char *id;   /* UUIDs of group and volume: "XXXXXX-…/XXXXXX-…" */
	char *trouble;   /* why it cannot be read; NULL: it can be */
	struct window w; /* its bytes, unless there is trouble; not to be changed through it */
};

/*
 * The volumes of all groups that have a physical volume among n windows. What is damaged gets a
 * line in *notes; whatever does not need it is there all the same. The windows' sources are
 * borrowed.
 */
struct lvm *lvm_new(const struct window *w, size_t n, struct buf *notes);
void lvm_free(struct lvm *l);

/* The i-th volume, borrowed; NULL: there are no more. */
const struct lvm_volume *lvm_volume(const struct lvm *l, size_t i);

/* Whether the i-th window is a physical volume; *group, borrowed, is its group's name, or empty. */
bool lvm_is_physical(const struct lvm *l, size_t i, const char **group);

#endif
