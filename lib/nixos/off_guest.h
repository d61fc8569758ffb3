/* SPDX-License-Identifier: MIT */
/*
 * A guest that is off: its disks, opened exclusively, and their file systems with
 * /nix/store and /boot. Roots that are not an ext4 directly on a disk or partition are read (they
 * are views, see guest_root.h), but not changed.
 */
#ifndef NIXOS_OFF_GUEST_H
#define NIXOS_OFF_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "ext4/ext4_edit.h"
#include "nixos/booting.h"
#include "nixos/guest_root.h"
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

/* What a change of the menu does with a generation on trial (trial.h). */
enum trial_step {
	TRIAL_END,  /* there is none any more */
	TRIAL_KEEP, /* it stays; its menu entry may have moved */
	TRIAL_BEGIN,
};

struct direct_host;

/* A file system in one of the disks. */
struct off_guest_fs {
	struct target *target;
	uint64_t base, size;     /* its place in the disk, bytes */
	struct ext4_edit *edit;  /* NULL: it is read through the view, and is not changed */
	struct guest_view *view; /* see guest_fs.h; NULL: it is an ext4 */
	bool happened;           /* a commit took effect */
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
	bool repair;   /* the disks are open for writing */
	bool any_root; /* a root that cannot be changed will do: nobody uses edits */
	char *paths[OFF_GUEST_DISKS_MAX];
	struct target targets[OFF_GUEST_DISKS_MAX];
	size_t n_disks;
	struct off_guest_fs root;
	struct off_guest_fs boot; /* root's edit where it is the same file system */
	bool separate_boot;
	/* Of a root that is not ext4, or on more than a partition; zeros, else: */
	struct disk_spec *specs;
	struct disks *disks;
	struct guest_root joined;
	const char *boot_dir; /* "/boot", or "" if that is a separate file system */
	enum menu_kind menu_kind;
	char *menu_path; /* in the boot file system; NULL: where NixOS puts it */
	/* Of the menu written last, for the note: */
	size_t menu_limit; /* generations that it has at most; 0: none was written yet */
	enum trial_step menu_trial;
	unsigned menu_tried;          /* the generation on trial */
	struct xlcfg_guest cfg;       /* what the config says; zeros without one */
	struct booting_config config; /* of that, what boots; borrowed from it */
	struct booting booting;
	struct direct_host *host;       /* where the config boots a kernel of the host; borrowed */
	void (*warn)(const char *text); /* what a person should know; NULL: nobody is there */
	/*
	 * Have the boot helper write GRUB's environment block: add its argument to the config, or
	 * (check) find out whether that is possible. NULL: it is not.
	 */
	int (*write_env)(struct off_guest *off, bool check, struct err *err);
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

/* Its disks as lib/guest reads them: n_disks entries, which borrow from off. */
void off_guest_specs(const struct off_guest *off, struct disk_spec *out);
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
/* What the note says of that menu. */
struct off_guest_note {
	unsigned limit; /* generations that it is to have; 0: as it has */
	enum trial_step trial;
	unsigned tried; /* for TRIAL_BEGIN */
};
int off_guest_read_note(struct off_guest *off, struct off_guest_note *out, struct err *err);
/* Note it in the root's changes, with menu_limit, menu_trial and menu_tried; or remove the note. */
int off_guest_set_pending(struct off_guest *off, bool on, struct err *err);

/* SOURCE_DATE_EPOCH, or the clock. */
int64_t off_guest_now(void);

#endif
