/* SPDX-License-Identifier: MIT */
/*
 * The bytes of an image in the making: a new file that has no name until it is
 * whole, or a block device opened for this program alone; or of one that is
 * there already. Threads may write to different places at once.
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
	CLONE_AUTO,   /* files of CLONE_AUTO_MIN bytes and more, where it works */
	CLONE_ALWAYS, /* whatever has a whole block; where it fails is an error */
	CLONE_NEVER,
};

#define CLONE_AUTO_MIN (32u << 10)

struct target {
	int fd;        /* through the page cache; -1: not open */
	int direct_fd; /* O_DIRECT, or -1 where that cannot be */
	char *name;    /* for messages; owned */
	bool is_device;
	bool in_place; /* it was there before: old bytes are in it, its size stays */
	bool sparse;   /* what was never written reads as zeros */
	pthread_mutex_t lock;
	atomic_uint_least64_t reserved; /* up to here a file has blocks ahead */
	bool ahead;                     /* pieces that come in order get theirs ahead */
	uint64_t size;                  /* of a device; 0 for a file until it is set */
	unsigned sector;                /* bytes that a device's table counts in; 0 for a file */
	enum clone_mode clone;
	atomic_bool cloning; /* until the host said no */
};

#define TARGET_INIT {.fd = -1, .direct_fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER}

/*
 * A nameless file in the directory of path. name is what it will be called.
 * See outfile.h for giving it its name.
 */
int target_from_file(struct target *t, int fd, const char *name, enum clone_mode clone,
                     struct err *err);

/* A block device, opened exclusively and locked: -ERR_BUSY where it is mounted or used. */
int target_open_device(struct target *t, const char *path, struct err *err);

/*
 * A block device, or a regular file that is there already: to be overwritten in
 * place, its size as it is. -ERR_BUSY where it is in use.
 */
int target_open_in_place(struct target *t, const char *path, enum clone_mode clone,
                         struct err *err);

/*
 * An image file or a block device that holds something, for this program
 * alone: a file is locked against everybody who locks (other runs of this
 * program, QEMU). read_only: it is opened for reading and shared with other
 * readers. -ERR_BUSY where it is in use.
 */
int target_open_existing(struct target *t, const char *path, bool read_only, struct err *err);

void target_fini(struct target *t);

/*
 * Write n bytes at an offset from the start of the image. Fast where p, n and
 * off are multiples of 4096 (p: of 4096 too). Zeros into a sparse file are not
 * written at all when the pieces are large and aligned.
 */
int target_write(struct target *t, const void *p, size_t n, uint64_t off, struct err *err);

/* Write through the page cache, whatever the alignment. */
int target_write_small(struct target *t, const void *p, size_t n, uint64_t off, struct err *err);
int target_read(struct target *t, void *p, size_t n, uint64_t off, struct err *err);

/* Make sure that n bytes at off can be written later, as far as the host can. */
int target_reserve(struct target *t, uint64_t off, uint64_t n, struct err *err);

/*
 * Whether it is good to give a new file its blocks before it is written: the
 * host's ext4 lets nobody write while it looks for some. Not where blocks may
 * come from clones.
 */
bool target_wants_ahead(const struct target *t);
/* Do so: stretches from the start to the end. Pieces of zeros give theirs back. */
int target_reserve_ahead(struct target *t, uint64_t off, uint64_t n, struct err *err);

/*
 * The same where nobody knows how large it will be: about size bytes, and
 * large pieces will come nearly in order. target_end() gives back what lies
 * behind the end.
 */
void target_begin(struct target *t, uint64_t size);
int target_end(struct target *t, uint64_t end, struct err *err);

/* Make n bytes at off read as zeros. */
int target_zero(struct target *t, uint64_t off, uint64_t n, struct err *err);

/*
 * Let n bytes (a multiple of 4096) of the image share their blocks with the
 * start of a file. 0 done; 1 not possible here, copy instead; -ERR_*.
 */
int target_clone(struct target *t, int src, uint64_t src_off, uint64_t n, uint64_t off,
                 struct err *err);
/* Whether a file of size bytes should be offered to target_clone() at all. */
bool target_wants_clone(const struct target *t, uint64_t size);

int target_sync(struct target *t, struct err *err);

#endif
