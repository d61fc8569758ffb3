/* SPDX-License-Identifier: MIT */
/*
 * The guest that a command line names: images, block devices, or one xl config with its disks. The
 * disks are not read here.
 */
#ifndef DOMSTRAP_ARGUMENTS_H
#define DOMSTRAP_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "inspector/inspector.h"
#include "xen/xlcfg_read.h"

#define ARGUMENTS_DISKS_MAX INSPECTOR_DISKS_MAX

struct disk_argument {
	char *path;
	const char *vdev; /* as the config says; "" unknown */
	bool raw;         /* the file's bytes are the disk's, without a format around them */
	char *why;        /* if it is not raw: why it cannot be read */
};

/* Start from zeros; end with arguments_fini(). */
struct arguments {
	struct disk_argument v[ARGUMENTS_DISKS_MAX];
	size_t n;
	const char *config;     /* the config's path, borrowed; NULL: none was named */
	struct xlcfg_guest cfg; /* its values; kernel is NULL if it is GRUB's own image, see grub */
	char *grub;             /* its kernel= is GRUB's own image, which reads the guest's menu */
};

/* CD-ROMs are left out. -ERR_USAGE, -ERR_NOENT, -ERR_FORMAT. */
int arguments_read(const char *const *args, size_t n, struct arguments *out, struct err *err);
void arguments_fini(struct arguments *a);
/*
 * Open the raw ones of the disks, and lock them for reading; others are left out. The result
 * borrows from the arguments, and ends with inspector_close().
 */
int arguments_open(const struct arguments *a, struct inspector_disks *out, struct err *err);

#endif
