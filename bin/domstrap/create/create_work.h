/* SPDX-License-Identifier: MIT */
/*
 * State of "domstrap create": create.c decides what the guest contains and writes the disks,
 * create_files.c handles the output files.
 */
#ifndef DOMSTRAP_CREATE_WORK_H
#define DOMSTRAP_CREATE_WORK_H

#include "base/outfile.h"
#include "create/create.h"
#include "create/menu.h"
#include "source/nixos_files.h"
#include "ui/ui.h"

/* The files beside the images, in the order in which they get their names. */
enum {
	FILE_KERNEL,
	FILE_INITRD,
	FILE_CFG,
	FILES,
};

/* A disk while it is written. */
struct disk_work {
	const struct guest_disk *disk;
	struct tree *tree;
	struct image_request req;
	struct image_plan plan;
	struct target target;
	struct outfile file; /* if it is not a device */
	bool wiped;          /* a device whose old contents are invalid now */
};

struct creation {
	struct guest guest;
	struct buf database;
	struct nixos_files nixos;
	struct extra extra;
	struct host_files host;
	char mac[18]; /* of the card with its addresses */
	struct menu menu;
	struct disk_work disks[GUEST_DISKS_MAX];
	struct outfile files[FILES];
	struct ui_progress *progress; /* that the writer counts in, too */
};

/* Check for existing files before a build that takes hours, or a request to a cache. */
int create_check_way(const struct create_options *o, struct err *err);
/*
 * The same when the system is known, before any work is done. Afterwards, devices and existing
 * files used as disks are open and locked.
 */
int create_check_targets(struct creation *cr, struct err *err);

/* Open every output file; the caller closes them. */
int create_open_files(struct creation *cr, struct err *err);
/* Write and sync the files beside the disks: kernel, initrd, the config. */
int create_write_files(struct creation *cr, struct err *err);
/*
 * Give all files their names, or none: after a failure new names are removed again, as far as the
 * file system allows.
 */
int create_publish(struct creation *cr, struct err *err);

#endif
