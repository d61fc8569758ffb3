/* SPDX-License-Identifier: MIT */
/*
 * A guest in the making, inside of "domstrap create": create.c decides what goes
 * in and writes the disks, create_files.c knows the names that it gets.
 */
#ifndef DOMSTRAP_CREATE_WORK_H
#define DOMSTRAP_CREATE_WORK_H

#include "base/outfile.h"
#include "create.h"
#include "menu.h"
#include "nixos_files.h"
#include "ui.h"

/* The files beside the images, in the order in which they get their names. */
enum {
	FILE_KERNEL,
	FILE_INITRD,
	FILE_CFG,
	FILES,
};

/* A disk in the making. */
struct disk_work {
	const struct guest_disk *disk;
	struct tree *tree;
	struct image_request req;
	struct image_plan plan;
	struct target target;
	struct outfile file; /* where it is no device */
	bool wiped;          /* a device that has lost what it held */
};

struct creation {
	struct guest guest;
	struct buf database;
	struct nixos_files nixos;
	struct extra extra;
	struct menu menu;
	struct disk_work disks[GUEST_DISKS_MAX];
	struct outfile files[FILES];
	struct ui_progress progress;
};

/*
 * What would be in the way: to be known before a build that takes hours, or a
 * question to a cache.
 */
int create_check_way(const struct create_options *o, struct err *err);
/*
 * The same once the system is known, and before any work is done. Devices and
 * files that are disks in place are open and locked afterwards.
 */
int create_check_targets(struct creation *cr, struct err *err);

/* Begin every file that will get a name; creation's owner ends them. */
int create_open_files(struct creation *cr, struct err *err);
/* Write and sync what is no disk: kernel and initrd of the guest, the config. */
int create_write_files(struct creation *cr, struct err *err);
/*
 * Give all files their names. All or none, as far as a file system lets us: new
 * names are taken back.
 */
int create_publish(struct creation *cr, struct err *err);

#endif
