/* SPDX-License-Identifier: MIT */
/* Only the files lvm*.c include this. */
#ifndef DISK_LVM_INTERNAL_H
#define DISK_LVM_INTERNAL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "disk/lvm.h"

#define LVM_SECTOR 512u
#define LVM_TEXT_MAX (1u << 20)

/* A physical volume that was found. */
struct lvm_pv {
	struct window w;
	size_t given;         /* the index of w */
	char id[LVM_ID_SIZE]; /* of the volume */
	char *group;          /* NULL: not known */
};

/* Takes the text of a metadata area; borrowed for the call. */
typedef void lvm_text_fn(void *arg, struct str text);

/*
 * Read the label in w, and each current text. 0; 1: w is no physical volume; -ERR_*. A metadata
 * area that is damaged gets a line in *notes.
 */
int lvm_pv_read(const struct window *w, struct lvm_pv *out, lvm_text_fn *fn, void *arg,
                struct buf *notes, struct err *err);

/* A group's current text. */
struct lvm_group {
	char id[LVM_ID_SIZE];
	char *name;
	uint64_t seqno;
	char *text;
	size_t n;
};

/* The name, UUID and sequence number of a text's group; group->text is left alone. */
int lvm_group_head(struct str text, struct lvm_group *group, struct err *err);

/* Contiguous bytes of a logical volume: "n" areas that are taken in turn. */
struct lvm_segment {
	uint64_t start, size; /* bytes */
	uint64_t stripe;      /* bytes from an area before it is the next one's turn */
	size_t area, n;       /* of the volume's areas */
};

struct lvm_area {
	const struct window *w;
	uint64_t at; /* bytes */
};

struct lvm_logical {
	struct source src; /* first: its window has a pointer to it */
	struct lvm_volume volume;
	struct lvm_segment *segment;
	struct lvm_area *area;
	size_t n_segments, cap_segments, n_areas, cap_areas;
};

int lvm_logical_read(struct source *src, void *p, size_t n, uint64_t off, struct err *err);

struct lvm {
	struct lvm_pv *pv;
	struct lvm_group *group;
	struct lvm_logical **logical; /* pointers: windows have them */
	size_t n_pvs, cap_pvs, n_groups, cap_groups, n_logical, cap_logical;
};

/* Add the volumes of a group to l. */
int lvm_group_read(struct lvm *l, const struct lvm_group *group, struct err *err);

#endif
