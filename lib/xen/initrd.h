/* SPDX-License-Identifier: MIT */
/*
 * The names of the files in an initial ramdisk, as Linux unpacks it (its
 * documentation: driver-api/early-userspace/buffer-format):
 *
 *     initrd  = { zeros | archive | packed { zeros | archive } }
 *     archive = { entry }, the last one named "TRAILER!!!"
 *     entry   = "070701" | "070702", 13 numbers of 8 hex digits, name with NUL,
 *               zeros to 4, data, zeros to 4
 *
 * A microcode archive comes first and is not compressed; the rest is compressed by
 * any method of unpack.h.
 */
#ifndef XEN_INITRD_H
#define XEN_INITRD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "disk/window.h"
#include "xen/unpack.h"

#define INITRD_UNPACKED_MAX (4ull << 30)
#define INITRD_MEMORY_MAX (160u << 20)
#define INITRD_ENTRIES_MAX (1u << 20)
#define INITRD_NAME_MAX 4096

struct initrd_limits {
	uint64_t unpacked; /* bytes, of all archives */
	uint64_t memory;   /* bytes that a decoder may use */
	size_t entries;
};

/* name is borrowed for the call. Nonzero ends the listing. */
typedef int initrd_fn(void *arg, struct str name, uint32_t mode, uint64_t size);

struct initrd_info {
	unsigned archives;
	enum unpack_kind packing; /* of the last packed part; UNPACK_NONE: there is none */
	size_t entries;
	uint64_t unpacked;
};

/*
 * List the files in w; limits NULL: the ones above. *out is filled in up to a
 * failure, too. 0, or -ERR_FORMAT, -ERR_LIMIT, -ERR_UNSUPPORTED (unsupported
 * compression), or an error of reading w.
 */
int initrd_list(const struct window *w, const struct initrd_limits *limits, initrd_fn *fn,
                void *arg, struct initrd_info *out, struct err *err);

/*
 * Write the name of a kernel module to out, from its file's path:
 * "lib/xen-blkfront.ko.xz" gives "xen_blkfront". false: not a module.
 */
bool initrd_module(struct str path, char out[static 64]);

#endif
