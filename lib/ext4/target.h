/* SPDX-License-Identifier: MIT */
/*
 * The file or device of an image: a new file without a name until it is complete, an
 * existing file, or a block device opened exclusively. Threads may write to different
 * places in parallel.
 */
#ifndef EXT4_TARGET_H
#define EXT4_TARGET_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum clone_mode {
	CLONE_AUTO,   /* files of at least CLONE_AUTO_MIN bytes, if supported */
	CLONE_ALWAYS, /* all files with a whole block; it is an error if it fails */
	CLONE_NEVER,
};

#define CLONE_AUTO_MIN (32u << 10)

struct target {
	int fd;        /* through the page cache; -1: not open */
	int direct_fd; /* O_DIRECT, to read and write, or -1 if that is not supported */
	char *name;    /* for messages; owned */
	bool is_device;
	bool discards;    /* a device that can discard blocks, */
	bool zeroes_fast; /* and that clears blocks by itself */
	bool in_place;    /* it existed before: it has old data and keeps its size */
	bool sparse;      /* unwritten parts read as zeros */
	pthread_mutex_t lock;
	atomic_uint_least64_t reserved; /* blocks are allocated ahead up to here */
	/*
	 * A new file whose blocks should be allocated before they are written: while the host's
	 * ext4 allocates blocks, it blocks all writers.
	 */
	bool wants_ahead;
	bool ahead;      /* allocate ahead for pieces written in order */
	uint64_t size;   /* of a device; 0 for a file until it is set */
	unsigned sector; /* sector size of a device's partition table; 0 for a file */
	enum clone_mode clone;
	atomic_bool cloning; /* false after the host refused */
};

#define TARGET_INIT {.fd = -1, .direct_fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER}

/*
 * An unnamed file; name is the name it will get. outfile.h gives it its name.
 */
int target_from_file(struct target *t, int fd, const char *name, enum clone_mode clone,
                     struct err *err);

/* A block device, opened exclusively and locked: -ERR_BUSY if it is mounted or in use. */
int target_open_device(struct target *t, const char *path, struct err *err);

/*
 * A block device or an existing regular file, to be overwritten in place with its
 * current size. -ERR_BUSY if it is in use.
 */
int target_open_in_place(struct target *t, const char *path, enum clone_mode clone,
                         struct err *err);

/*
 * An existing image file or block device, opened exclusively: a file is locked
 * against other programs that lock it (domstrap, QEMU). read_only: it is opened for
 * reading, with a shared lock. -ERR_BUSY if it is in use.
 */
int target_open_existing(struct target *t, const char *path, bool read_only, struct err *err);

void target_fini(struct target *t);

/*
 * Write n bytes at an offset from the start of the image. Fast if p, n and off are
 * multiples of 4096. Large aligned pieces of zeros are not written to a sparse
 * file.
 */
int target_write(struct target *t, const void *p, size_t n, uint64_t off, struct err *err);

/* Write through the page cache, with any alignment. */
int target_write_small(struct target *t, const void *p, size_t n, uint64_t off, struct err *err);
int target_read(struct target *t, void *p, size_t n, uint64_t off, struct err *err);

/* Allocate n bytes at off, so that they can be written later, if the host supports it. */
int target_reserve(struct target *t, uint64_t off, uint64_t n, struct err *err);

/* Allocate the blocks, in ranges from start to end. Pieces of zeros free theirs. */
int target_reserve_ahead(struct target *t, uint64_t off, uint64_t n, struct err *err);

/*
 * The same if the size is not known exactly: about size bytes, with large pieces
 * written almost in order. target_end() frees the blocks after the end.
 */
void target_begin(struct target *t, uint64_t size);
int target_end(struct target *t, uint64_t end, struct err *err);

/* Make n bytes at off read as zeros. */
int target_zero(struct target *t, uint64_t off, uint64_t n, struct err *err);

/*
 * Let n bytes (a multiple of 4096) of the image share blocks with a file. 0: done; 1:
 * not possible, copy instead; -ERR_*.
 */
int target_clone(struct target *t, int src, uint64_t src_off, uint64_t n, uint64_t off,
                 struct err *err);
/* Whether a file of size bytes should be offered to target_clone() at all. */
bool target_wants_clone(const struct target *t, uint64_t size);

int target_sync(struct target *t, struct err *err);

#endif
