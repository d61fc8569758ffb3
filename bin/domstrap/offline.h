/* SPDX-License-Identifier: MIT */
/*
 * A guest that is off: its disks, opened for this program alone, and the file
 * systems in them that hold /nix/store and /boot.
 */
#ifndef DOMSTRAP_OFFLINE_H
#define DOMSTRAP_OFFLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "arguments.h"
#include "booting.h"
#include "ext4/ext4_edit.h"
#include "ui.h"

#define OFFLINE_DISKS_MAX ARGUMENTS_DISKS_MAX
#define OFFLINE_ARGS_MAX 1024
#define OFFLINE_GRUB_CFG "grub/grub.cfg"
/* In the root: the menu on another disk does not fit the generations yet. */
#define OFFLINE_PENDING_DIR "/nix/var/nix"
#define OFFLINE_PENDING "domstrap-pending"

/* What all commands for such guests are told; strings are argv's. */
struct offline_options {
	const char *args[OFFLINE_ARGS_MAX]; /* images, devices, or one config */
	size_t n_args;
	bool dry_run, json;
	enum ui_level level;
};

enum offline_mode {
	OFFLINE_LOOK,  /* nothing is written */
	OFFLINE_READ,  /* nothing but what completes an interrupted command, where we may */
	OFFLINE_WRITE, /* changes will be committed */
};

/* A file system in one of the disks. */
struct offline_fs {
	struct target *target;
	uint64_t base, size; /* its place in the disk, bytes */
	struct ext4_edit *edit;
	bool happened; /* a commit took effect */
};

/*
 * What the guest boots from, as far as it is known. MENU_FIND: nobody has looked;
 * then what writes the menu looks where NixOS puts one.
 */
enum menu_kind {
	MENU_FIND,
	MENU_NONE, /* the host has kernel and initrd */
	MENU_GRUB,
	MENU_EXTLINUX,
};

struct offline {
	int64_t now;
	enum offline_mode mode;
	bool repair; /* the disks are open for writing */
	char *paths[OFFLINE_DISKS_MAX];
	struct target targets[OFFLINE_DISKS_MAX];
	size_t n_disks;
	struct offline_fs root;
	struct offline_fs boot; /* root's edit where it is the same file system */
	bool separate_boot;
	const char *boot_dir; /* "/boot", or "" where it has a file system of its own */
	enum menu_kind menu_kind;
	char *menu_path;   /* in the boot file system; NULL: where NixOS puts it */
	size_t menu_limit; /* generations that the menu written last has at most; 0: none yet */
	struct xlcfg_guest cfg;       /* what the config says; zeros without one */
	struct booting_config config; /* of that, what boots; borrowed from it */
	struct booting booting;
};

/*
 * Open the disks, finish or undo what an interrupted command left, find the
 * file systems. -ERR_BUSY: in use; -ERR_NOENT, -ERR_FORMAT, -ERR_UNSUPPORTED.
 */
int offline_open(const struct offline_options *opt, enum offline_mode mode, struct offline *out,
                 struct err *err);
void offline_close(struct offline *off);
/* The same from disks that are open already: paths, n_disks and targets are set. */
int offline_find(struct offline *off, struct err *err);

/* Look again at what boots: now, or (staged) once the changes are committed. */
int offline_evaluate(struct offline *off, bool staged, struct err *err);

/* Open one file system's edit again, after a commit. */
int offline_reopen(struct offline *off, struct offline_fs *fs, struct err *err);
/* Commit one file system's changes; what failed and whether it counts is in the text. */
int offline_commit(struct offline_fs *fs, struct err *err);

/* Whether the root says that its menu was not written yet. */
int offline_pending(struct offline *off, bool *pending, struct err *err);
/* For how many generations that menu is to be; 0: as it is. */
int offline_pending_limit(struct offline *off, unsigned *limit, struct err *err);
/* Note it in the root's changes, with menu_limit, or take the note away. */
int offline_set_pending(struct offline *off, bool on, struct err *err);

/* SOURCE_DATE_EPOCH, or the clock. */
int64_t offline_now(void);

#endif
