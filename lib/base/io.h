/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing whole pieces. "name" is used in error texts only.
 * All of them continue after EINTR and short counts.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Close *fd if it is open, and set it to -1. Keeps errno. */
void io_close(int *fd);
#define _close_ _cleanup_(io_close)

/*
 * Read up to n bytes; fewer only at the end of the file. *got is the number.
 * Returns 0 or -ERR_*.
 */
int io_read(int fd, const char *name, void *p, size_t n, size_t *got, struct err *err);
/* The same at an offset. Returns the number, or -ERR_*. */
int64_t io_pread(int fd, const char *name, void *p, size_t n, uint64_t off, struct err *err);

/* All n bytes, or -ERR_*. */
int io_write(int fd, const char *name, const void *p, size_t n, struct err *err);
int io_pwrite(int fd, const char *name, const void *p, size_t n, uint64_t off, struct err *err);

/*
 * The whole of a file of at most limit bytes, appended to *out; dirfd as for
 * openat(2). Over the limit is -ERR_LIMIT; not a regular file -ERR_FORMAT.
 */
int io_read_file(int dirfd, const char *path, size_t limit, struct buf *out, struct err *err);

/*
 * Lock an open file with flock(2), exclusively (alone) or shared. -ERR_BUSY if another process
 * still has it locked after wait_ms. Does nothing if the file system does not support locks.
 */
int io_lock(int fd, const char *name, bool alone, unsigned wait_ms, struct err *err);

/* fsync with an error text. */
int io_sync(int fd, const char *name, struct err *err);

#endif
