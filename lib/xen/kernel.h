/* SPDX-License-Identifier: MIT */
/*
 * Will this kernel boot under Xen? The file is parsed as Xen's loader does:
 *
 *     gzip? ( bzImage ( packing? ELF ) | ELF ) with Xen's ELF notes
 *
 * It is unpacked only up to the notes.
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
	bool packing_only; /* unpack nothing; bits, x86 and notes remain unset */
};

struct kernel_info {
	enum kernel_kind kind;
	bool gzipped;                     /* the whole file is compressed with gzip */
	unsigned protocol;                /* bzImage: boot protocol, 0x20f is 2.15 */
	char release[KERNEL_RELEASE_MAX]; /* bzImage: "6.12.40 (user@host) ...", else "" */
	enum unpack_kind packing;         /* of the ELF file inside */
	uint64_t xz_dictionary;           /* xz: its dictionary in bytes; 0: unknown */
	unsigned bits;                    /* 64, 32; 0: the ELF header was not reached */
	bool x86;
	bool notes_read;
	char trouble[512]; /* why they could not be read; "" none */
	struct kernel_notes notes;
};

/*
 * Examine the kernel in w; limits NULL: the ones above. An unusual kernel is not an
 * error: *out says what is wrong. Returns 0, or -ERR_* if w cannot be read.
 */
int kernel_read(const struct window *w, const struct kernel_limits *limits, struct kernel_info *out,
                struct err *err);

/*
 * Append to *out a line for each reason why it may not boot; xen is the version as
 * major << 16 | minor, 0 if unknown. Returns the number of lines. They may contain
 * text from the kernel: escape them.
 */
unsigned kernel_advise(const struct kernel_info *info, unsigned xen, struct buf *out);
/* Its two halves; the first needs only the packing, the second no Xen version. */
unsigned kernel_advise_packing(const struct kernel_info *info, unsigned xen, struct buf *out);
unsigned kernel_advise_notes(const struct kernel_info *info, struct buf *out);

/* Write a description such as "bzImage (zstd)" to the caller's array; returns it. */
const char *kernel_describe(const struct kernel_info *info, char out[static 64]);

#endif
