/* SPDX-License-Identifier: MIT */
/*
 * Will this kernel boot under Xen? A file is taken apart as Xen's loader does:
 *
 *     gzip? ( bzImage ( packing? ELF ) | ELF ) with Xen's ELF notes
 *
 * It is unpacked only as far as the notes.
 */
#ifndef XEN_KERNEL_H
#define XEN_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "disk/window.h"
#include "xen/kernel_notes.h"
#include "xen/unpack.h"

#define KERNEL_UNPACKED_MAX (1ull << 30) /* libxl's own limit */
#define KERNEL_MEMORY_MAX (160u << 20)   /* a decoder with a window of 128 MiB */
#define KERNEL_RELEASE_MAX 128

enum kernel_kind {
	KERNEL_UNKNOWN,
	KERNEL_BZIMAGE,
	KERNEL_ELF,
};

struct kernel_limits {
	uint64_t unpacked; /* bytes unpacked at most */
	uint64_t memory;   /* bytes that a decoder may use */
	bool packing_only; /* unpack nothing: no bits, x86 and notes */
};

struct kernel_info {
	enum kernel_kind kind;
	bool gzipped;                     /* the whole file is, around what it is */
	unsigned protocol;                /* bzImage: boot protocol, 0x20f is 2.15 */
	char release[KERNEL_RELEASE_MAX]; /* bzImage: "6.12.40 (…) #1 …", else "" */
	enum unpack_kind packing;         /* of the ELF file inside */
	uint64_t xz_dictionary;           /* xz: bytes that its decoder needs; 0 unknown */
	unsigned bits;                    /* 64, 32; 0: the ELF header was not reached */
	bool x86;
	bool notes_read;   /* else the next text says why not, where they were asked for */
	char trouble[512]; /* "" none */
	struct kernel_notes notes;
};

/*
 * Look at the kernel in w. What is odd about it is no error but lies in *out;
 * limits NULL: the ones above. Returns 0, or -ERR_* where w cannot be read.
 */
int kernel_read(const struct window *w, const struct kernel_limits *limits, struct kernel_info *out,
                struct err *err);

/*
 * What speaks against booting it, a line each, appended to *out; xen is the
 * version as major << 16 | minor, 0 where it is unknown. Returns the number of
 * lines. Texts of the kernel are in them as they are: escape them.
 */
unsigned kernel_advise(const struct kernel_info *info, unsigned xen, struct buf *out);
/* Its two halves; the first needs the packing only, the second no Xen. */
unsigned kernel_advise_packing(const struct kernel_info *info, unsigned xen, struct buf *out);
unsigned kernel_advise_notes(const struct kernel_info *info, struct buf *out);

/* "bzImage (zstd)", … in a caller's array; returns it. */
const char *kernel_describe(const struct kernel_info *info, char out[static 64]);

#endif
