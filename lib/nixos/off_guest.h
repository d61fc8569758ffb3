/* SPDX-License-Identifier: MIT */
/*
 * A guest that is off: its disks, opened exclusively, and their file systems with
 * /nix/store and /boot.
 */
#ifndef NIXOS_OFF_GUEST_H
#define NIXOS_OFF_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "ext4/ext4_edit.h"
#include "nixos/booting.h"
#include "xen/xlcfg_read.h"

#define OFF_GUEST_DISKS_MAX 8
#define OFF_GUEST_GRUB_CFG "grub/grub.cfg"
/* The note in the root: the menu on the boot disk is out of date. */
#define OFF_GUEST_PENDING_DIR "/nix/var/nix"
#define OFF_GUEST_PENDING "domstrap-pending"

enum off_guest_mode {
	OFF_GUEST_LOOK,  /* nothing is written */
	OFF_GUEST_READ,  /* writes only to complete an interrupted command, if permitted */
	OFF_GUEST_WRITE, /* changes will be committed */
};

struct direct_host;

/* A file system in one of the disks. */
struct off_guest_fs {
	struct target *target;
	uint64_t base, size; /* its place in the disk, bytes */
	struct ext4_edit *edit;
	bool happened; /* a commit took effect */
};

/*
 * The kind of the guest's menu. MENU_FIND: not known yet; then the menu is searched
 * where NixOS writes it.
 */
enum menu_kind {
	MENU_FIND,
	MENU_NONE, /* kernel and initrd are on the host */
	MENU_GRUB,
	MENU_EXTLINUX,
};

struct off_guest {
	int64_t now;
	enum off_guest_mode mode;
	bool repair; /* the disks are open for writing */
	char *paths[OFF_GUEST_DISKS_MAX];
	struct target targets[OFF_GUEST_DISKS_MAX];
	size_t n_disks;
	struct off_guest_fs root;
	struct off_guest_fs boot; /* root's edit where it is the same file system */
	bool separate_boot;
	const char *boot_dir; /* "/boot", or "" if that is a separate file system */
	enum menu_kind menu_kind;
	char *menu_path;   /* in the boot file system; NULL: where NixOS puts it */
	size_t menu_limit; /* generations that the menu written last has at most; 0: none yet */
	struct xlcfg_guest cfg;       /* what the config says; zeros without one */
	struct booting_config config; /* of that, what boots; borrowed from it */
	struct booting booting;
	struct direct_host *host;       /* where the config boots a kernel of the host; borrowed */
	void (*warn)(const char *text); /* what a person should know; NULL: nobody is there */
};

void off_guest_close(struct off_guest *off);
/* Forget what was found, but leave the disks open: off_guest_find() can begin again. */
void off_guest_release(struct off_guest *off);
/*
 * Find root and boot in disks that are open: mode, repair, paths, n_disks, targets and, where there
 * is one, what the config says are set. Finishes or undoes what an interrupted command left.
 * -ERR_NOENT, -ERR_FORMAT, -ERR_UNSUPPORTED.
 */
int off_guest_find(struct off_guest *off, struct err *err);

/* Tell warn. */
void off_guest_warn(const struct off_guest *off, const char *fmt, ...)
        __attribute__((format(printf, 2, 3)));

/* Look again at what boots: now, or (staged) once the changes are committed. */
int off_guest_evaluate(struct off_guest *off, bool staged, struct err *err);

/* Open one file system's edit again, after a commit. */
int off_guest_reopen(struct off_guest *off, struct off_guest_fs *fs, struct err *err);
/* Commit one file system's changes; what failed and whether it counts is in the text. */
int off_guest_commit(struct off_guest_fs *fs, struct err *err);

/* Whether the root says that its menu was not written yet. */
int off_guest_pending(struct off_guest *off, bool *pending, struct err *err);
/* For how many generations that menu is to be; 0: as it is. */
int off_guest_pending_limit(struct off_guest *off, unsigned *limit, struct err *err);
/* Note it in the root's changes, with menu_limit, or take the note away. */
int off_guest_set_pending(struct off_guest *off, bool on, struct err *err);

/* SOURCE_DATE_EPOCH, or the clock. */
int64_t off_guest_now(void);

#endif
