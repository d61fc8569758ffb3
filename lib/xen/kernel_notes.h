/* SPDX-License-Identifier: MIT */
/*
 * What a kernel says about Xen in its ELF notes (Xen: public/elfnote.h).
 *
 *     note = le32 name size, le32 data size, le32 type,
 *            name with NUL, zero padding to 4, data, zero padding to 4
 *
 * Only notes named "Xen" count; the last of each type is used.
 */
#ifndef XEN_KERNEL_NOTES_H
#define XEN_KERNEL_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define KERNEL_NOTES_MAX 65536 /* bytes of one piece of notes */
#define KERNEL_TEXT_MAX 256    /* bytes of one text in them */

/* Texts are truncated to fit; "" if there is no such note. */
struct kernel_notes {
	bool any; /* at least one note of Xen */
	char guest_os[KERNEL_TEXT_MAX];
	char guest_version[KERNEL_TEXT_MAX];
	char xen_version[KERNEL_TEXT_MAX];
	char loader[KERNEL_TEXT_MAX];
	char features[KERNEL_TEXT_MAX];
	bool has_phys32; /* the entry point of a PVH guest */
	uint64_t phys32;
	bool has_supported; /* the features as bits */
	uint32_t supported;
};

/* Add n bytes of notes. -ERR_FORMAT: they are malformed. */
int kernel_notes_parse(const void *p, size_t n, struct kernel_notes *notes, struct err *err);

/*
 * Could an x86 kernel with these notes start as a PV or PVH guest? true, or
 * false with the reason in why (at most n bytes).
 */
bool kernel_notes_pv(const struct kernel_notes *notes, char *why, size_t n);
bool kernel_notes_pvh(const struct kernel_notes *notes, char *why, size_t n);

#endif
