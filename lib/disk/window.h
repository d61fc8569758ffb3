/* SPDX-License-Identifier: MIT */
/*
 * Bounded reads at an offset. A source is where bytes come from: a descriptor,
 * memory, or what a test makes up. A window is a range of a source: a disk, a
 * partition of it, a file system in that. Nothing here writes, so code that
 * has only a window cannot change a disk.
 */
#ifndef DISK_WINDOW_H
#define DISK_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The first member of every kind of source. */
struct source {
	/*
	 * All n bytes at off (bytes from the start), or -ERR_*. The window
	 * has checked them against its size.
	 */
	int (*read)(struct source *src, void *p, size_t n, uint64_t off, struct err *err);
};

/* A descriptor, borrowed; name is borrowed and for error texts. */
struct source_fd {
	struct source src;
	int fd;
	const char *name;
};

/* Bytes in memory, borrowed. */
struct source_mem {
	struct source src;
	const uint8_t *p;
	size_t n;
};

/* A plain value: copy it freely. It owns nothing. */
struct window {
	struct source *src;
	uint64_t start;   /* bytes into the source */
	uint64_t size;    /* bytes */
	unsigned sector;  /* bytes a sector: 512 or 4096 */
	const char *name; /* of the disk, for error texts; borrowed */
	bool fixed; /* not to be changed through it: half of a mirror, or bytes in several pieces */
};

void source_fd_init(struct source_fd *s, int fd, const char *name);
void source_mem_init(struct source_mem *s, const void *p, size_t n);

/* The whole of a source of size bytes, with 512-byte sectors. */
struct window window_over(struct source *src, uint64_t size, const char *name);

/* n bytes at off bytes, all of them; -ERR_FORMAT where they do not exist. */
int window_read(const struct window *w, void *p, size_t n, uint64_t off, struct err *err);

/*
 * The part of w that starts at off and has size bytes, into *out (which may be
 * w). -ERR_FORMAT where it is not wholly inside w.
 */
int window_sub(const struct window *w, uint64_t off, uint64_t size, struct window *out,
               struct err *err);

bool window_sector_valid(unsigned sector);

#endif
