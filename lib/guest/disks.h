/* SPDX-License-Identifier: MIT */
/*
 * A guest's disks inside a jail: implements grub/files.h with lib/disk and
 * lib/fs. File systems are opened when they are first used.
 */
#ifndef GUEST_DISKS_H
#define GUEST_DISKS_H

#include "base/buf.h"
#include "base/err.h"
#include "disk/window.h"
#include "fs/fs.h"
#include "grub/files.h"

/* A disk, before it is read. */
struct disk_spec {
	int fd;             /* for pread(2); its number differs inside a jail */
	uint64_t size;      /* bytes */
	unsigned sector;    /* bytes */
	const char *name;   /* for error texts */
	bool has_offset;    /* the file system starts at offset; no partition table is read */
	uint64_t offset;    /* bytes */
	struct source *src; /* read this instead of fd; NULL: fd. Borrowed */
};

struct disks;

/*
 * Lock a disk against changes (a shared lock; other readers are allowed). -ERR_BUSY if a change
 * does not finish within wait_ms. The lock lasts until the descriptor is closed.
 */
int disk_spec_lock(const struct disk_spec *d, unsigned wait_ms, struct err *err);

/* Open a file or a block device for reading. *out borrows path; close out->fd. */
int disk_spec_open(const char *path, struct disk_spec *out, struct err *err);

/*
 * The devices of n disks, and the logical volumes on them. If a disk's partition table is invalid,
 * *notes gets a line about it, and only the whole disk is a device. spec is borrowed.
 */
struct disks *disks_new(const struct disk_spec *spec, size_t n, struct buf *notes);
void disks_free(struct disks *d);

/*
 * The error of the first failed read of a disk so far, or 0. GRUB, and so lib/grub, treats
 * unreadable files as missing; a caller that must not do this checks here afterwards.
 */
int disks_fault(const struct disks *d, struct err *err);

/* For lib/grub; borrowed from d. */
struct grub_files *disks_files(struct disks *d);

/* Which of the specs a device is on; SIZE_MAX: a logical volume, which may be on several. */
size_t disks_index(const struct disks *d, size_t dev);

/* A device's bytes, borrowed from d; dev is in the table of disks_files(). */
const struct window *disks_window(const struct disks *d, size_t dev);
/* Its file system, borrowed from d; -ERR_NOENT: it has none that is supported. */
int disks_fs(struct disks *d, size_t dev, struct fs **out, struct err *err);
/* Open a regular file on a device. */
int disks_open(struct disks *d, size_t dev, struct str path, struct fs_file **out, struct err *err);

/* Append a line for each newly opened file system that is read through its journal. */
void disks_notices(struct disks *d, struct buf *lines);

/* Append a path with its device: "(hd0,msdos1)/boot/vmlinuz". */
void disks_name(const struct disks *d, size_t dev, const char *path, struct buf *out);

#endif
