/* SPDX-License-Identifier: MIT */
/*
 * The guest's disks, as this room sees them: a table of devices and six
 * questions about each. The program that has the disks answers them.
 *
 * A device is a whole disk or a partition; its index in the table is its
 * handle everywhere. The table lists a disk and then its partitions, disks in
 * the order of the guest's configuration; logical volumes come last. Names are canonical:
 *
 *     name = "hd" DISK [ "," ( "msdos" | "gpt" ) PARTITION ] | "lvm/" GROUP "-" VOLUME
 *
 * DISK counts from 0, PARTITION from 1 (logical ones from 5). What a menu
 * writes instead ("(hd0,1)", "(xen/xvda,msdos1)", "hd0,0" in menu.lst) is
 * resolved here, see device.h; the program never meets an alias.
 *
 * A path is absolute and has no empty, "." or ".." components; "/" is the
 * root. Symbolic links are followed by the program, within their device.
 *
 * Every function returns 0 or -ERR_*: ERR_NOENT where there is no such file,
 * or no file system that can be read; anything else where reading failed.
 */
#ifndef GRUB_FILES_H
#define GRUB_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define GRUB_ALIASES 2

struct grub_device {
	const char *name;
	const char *vdev; /* its disk's name in the guest, "xvda"; NULL: xvda, xvdb… by number */
	const char *alias[GRUB_ALIASES]; /* "lvmid/…", "md/boot", "mduuid/…"; NULL: none */
};

enum grub_kind {
	GRUB_FILE,
	GRUB_DIR,
	GRUB_OTHER,
};

struct grub_stat {
	enum grub_kind kind;
	uint64_t size;
	int64_t mtime; /* seconds since 1970; 0 unknown */
};

/* Empty texts where the file system or table has no such thing. */
struct grub_probe {
	char fs[16]; /* "ext2" (for ext3 and ext4 too), "fat", … as GRUB calls it */
	char label[256];
	char uuid[64];      /* as "blkid" prints it */
	char part_uuid[64]; /* of the partition, from its table */
};

/* Takes one name; nonzero ends the list. The name is borrowed for the call. */
typedef int grub_name_fn(void *arg, struct str name);

struct grub_files;

/* A byte of a file. */
struct grub_at {
	size_t dev;
	struct str path;
	uint64_t off;
};

struct grub_files_ops {
	int (*probe)(struct grub_files *f, size_t dev, struct grub_probe *out, struct err *err);
	int (*stat)(struct grub_files *f, size_t dev, struct str path, struct grub_stat *out,
	            struct err *err);
	/* The whole file appended to *out; over limit bytes is -ERR_LIMIT. */
	int (*read)(struct grub_files *f, size_t dev, struct str path, size_t limit,
	            struct buf *out, struct err *err);
	/* n bytes, all of them. */
	int (*piece)(struct grub_files *f, const struct grub_at *at, void *p, size_t n,
	             struct err *err);
	/* The names of a directory in any order, "." and ".." or not. */
	int (*list)(struct grub_files *f, size_t dev, struct str path, grub_name_fn *fn, void *arg,
	            struct err *err);
};

/* The first member of whatever the program keeps. */
struct grub_files {
	const struct grub_files_ops *ops;
	const struct grub_device *devices;
	size_t device_count;
};

#endif
