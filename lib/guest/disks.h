/* SPDX-License-Identifier: MIT */
/*
 * A guest's disks inside a jail: lib/disk and lib/fs behind the questions that
 * lib/grub asks (grub/files.h). File systems are opened when they are first
 * asked for.
 */
#ifndef GUEST_DISKS_H
#define GUEST_DISKS_H

#include "base/buf.h"
#include "base/err.h"
#include "disk/window.h"
#include "fs/fs.h"
#include "grub/files.h"

/* What is known of a disk before anybody looks at its bytes. */
struct disk_spec {
	int fd;             /* can be read at an offset; inside a jail it has another number */
	uint64_t size;      /* bytes */
	unsigned sector;    /* bytes */
	const char *name;   /* for error texts */
	bool has_offset;    /* the file system starts there, no table is read */
	uint64_t offset;    /* bytes */
	struct source *src; /* read this in place of fd; NULL: fd. Borrowed */
};

struct disks;

/*
 * Keep a disk from being changed while it is read: -ERR_BUSY where somebody who changes it does
 * not end within wait_ms. Other readers are let in. The lock ends with the descriptor.
 */
int disk_spec_lock(const struct disk_spec *d, unsigned wait_ms, struct err *err);

/* Open a file or a block device for reading. *out borrows path; close out->fd. */
int disk_spec_open(const char *path, struct disk_spec *out, struct err *err);

/*
 * The devices of n disks. Trouble with a disk's table is said in *notes, a line
 * each, and only the whole disk is a device then. spec is borrowed.
 */
struct disks *disks_new(const struct disk_spec *spec, size_t n, struct buf *notes);
void disks_free(struct disks *d);

/*
 * The first read of a disk that failed so far, or 0. GRUB takes what it cannot read for absent, and
 * so does lib/grub; whoever must not asks here afterwards.
 */
int disks_fault(const struct disks *d, struct err *err);

/* For lib/grub; borrowed from d. */
struct grub_files *disks_files(struct disks *d);

/* Which of the specs a device is on. */
size_t disks_index(const struct disks *d, size_t dev);

/* A device's bytes, borrowed from d; dev is in the table of disks_files(). */
const struct window *disks_window(const struct disks *d, size_t dev);
/* Its file system, borrowed from d; -ERR_NOENT: it has none that we can read. */
int disks_fs(struct disks *d, size_t dev, struct fs **out, struct err *err);
/* Open a regular file on a device. */
int disks_open(struct disks *d, size_t dev, struct str path, struct fs_file **out, struct err *err);

/* A line for each file system that was opened since and is not read as it lies on the disk. */
void disks_notices(struct disks *d, struct buf *lines);

/* "(hd0,msdos1)/boot/vmlinuz", appended. */
void disks_name(const struct disks *d, size_t dev, const char *path, struct buf *out);

#endif
