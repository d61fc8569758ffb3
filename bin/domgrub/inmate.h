/* SPDX-License-Identifier: MIT */
/*
 * The process in the jail: it answers requests (message.h) by reading the guest's disks, and copies
 * kernel and ramdisk to its two outputs.
 */
#ifndef DOMGRUB_INMATE_H
#define DOMGRUB_INMATE_H

#include "grub/limit.h"
#include "guest/disks.h"
#include "known.h"

struct msg_count;

struct inmate_spec {
	const struct disk_spec *disk;
	size_t disks;
	bool is_config;                   /* the first "disk" is a menu's file */
	int kernel_fd, ramdisk_fd;        /* -1: nothing is to be copied */
	uint64_t kernel_max, ramdisk_max; /* bytes */
	const struct grub_limits *limits;
};

/* For jail_start(): arg is a struct inmate_spec. Returns at the line's end. */
int inmate_main(void *arg);

/* The other process, which checks a kernel. */
struct checker_spec {
	int fd;                    /* of the kernel, inside the jail */
	uint64_t size;             /* bytes */
	uint64_t memory;           /* bytes that a decoder may use */
	unsigned xen;              /* version, major << 16 | minor; 0 unknown */
	const struct known *known; /* kernels that need no check; NULL: none */
};

int checker_main(void *arg);

/* A third one, which renames the file of an entry with a boot counter. */
struct renamer_spec {
	int fd; /* of the disk, inside the jail */
	const struct disk_spec *disk;
	const struct msg_count *count;
	int64_t now; /* seconds since 1970 */
};

int renamer_main(void *arg);

#endif
