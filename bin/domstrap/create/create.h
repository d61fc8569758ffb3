/* SPDX-License-Identifier: MIT */
/*
 * "domstrap create": its options, and the parts that work on them.
 */
#ifndef DOMSTRAP_CREATE_H
#define DOMSTRAP_CREATE_H

#include <stdbool.h>
#include <stdint.h>

#include "create/domain.h"
#include "inspector/etc_place.h"
#include "ext4/target.h"
#include "create/extra.h"
#include "create/host_options.h"
#include "image/image.h"
#include "nix/channel.h"
#include "source/nix_build.h"
#include "nixos/grubcfg.h"
#include "nixos/system.h"
#include "host/old_data.h"
#include "source/source.h"
#include "ui/ui.h"

enum boot_mode {
	BOOT_DOMGRUB, /* bootloader="domgrub" */
	BOOT_PYGRUB,  /* bootloader="pygrub" */
	BOOT_DIRECT,  /* kernel= and ramdisk= in the config */
	BOOT_GRUB,    /* kernel= is GRUB's image for PVH guests */
};

enum layout {
	LAYOUT_SINGLE, /* one disk, one partition */
	LAYOUT_SPLIT,  /* a boot disk and a root disk, bare file systems */
};

enum size_kind {
	SIZE_AUTO,
	SIZE_FIXED, /* of the whole image */
	SIZE_FREE,  /* to stay free */
};

/* As given; strings are argv's. */
struct create_options {
	const char *name; /* of the files, and of the domain if domain_name is NULL */
	const char *domain_name;
	const char *system; /* or built as nix says */
	struct nix_options nix;
	struct extra_options extra;
	struct host_options host;
	struct source_options source;
	const char *output; /* directory */
	enum layout layout;
	const char *disk;      /* device or file for the root, or NULL */
	const char *boot_disk; /* for the boot disk, or NULL */
	uint64_t boot_size;
	enum size_kind size_kind;
	uint64_t size;
	const char *label; /* NULL: what the system expects, else NIXOS */
	const char *uuid;  /* NULL: what the system expects, else derived */
	enum boot_mode boot;
	enum grub_identifier fs_identifier;
	bool fs_identifier_given;
	bool copy_kernels;
	const char *kernel, *initrd; /* of the host, in place of the system's */
	const char *grub_image;      /* NULL: at the path of Debian's or nixpkgs' package */
	struct domain_options domain;
	const char *configuration;
	const char *channel; /* URL[=NAME] */
	bool no_channel;
	bool verify;
	enum clone_mode clone;
	unsigned threads;
	bool wipe; /* clear the parts of existing disks that are not written */
	bool dry_run, json, force;
	enum ui_level level;
};

/* One disk of the guest. */
struct guest_disk {
	const char *role; /* "root" or "boot" */
	const char *mountpoint;
	const char *device; /* a block device or file of the host; NULL: a new file */
	const char *suffix; /* suffix of the file's name */
	char *path;         /* absolute */
	bool partitioned;
	char vdev[8]; /* as the guest sees it */
	const char *usual_label;
	const char *wanted_label, *wanted_uuid; /* given by the user, or NULL */
	char *label;
	uint8_t uuid[16]; /* of the file system */
	enum size_kind size_kind;
	uint64_t size;
	bool in_place; /* device is an existing file */
	struct old_data wiped;
};

#define GUEST_DISKS_MAX 2

/* Everything about a guest that options and system determine; owns what it allocates. */
struct guest {
	struct create_options opt;
	struct system_source source;
	struct nixos_system system;
	enum etc_place etc; /* where it sees files that are put into its /etc */
	struct guest_disk disks[GUEST_DISKS_MAX]; /* in xl's order; the root is last */
	size_t n_disks;
	char *dir;                   /* output directory, absolute */
	char *cfg, *kernel, *initrd; /* absolute paths; the latter two may be NULL */
	const char *type_reason;     /* why this type was chosen; NULL: the user gave it */
	char domain_uuid[37];
	char mac[18];
	uint32_t disk_id;
	int64_t time;
	char channel_url[CHANNEL_URL_SIZE];
	const char *channel_name; /* NULL: no channel */
	char *channel_copy;
	char *cmdline; /* the kernel's command line; NULL: none */
};

static inline const struct guest_disk *guest_root(const struct guest *g)
{
	return &g->disks[g->n_disks - 1];
}

static inline bool guest_is_split(const struct guest *g)
{
	return g->n_disks == 2;
}

/* 0; 1 if --help was given and printed; -ERR_USAGE. */
int create_options_parse(int argc, char **argv, struct create_options *out, struct err *err);

/* Load system and closure; determine names, identities and the command line. */
int guest_load(const struct create_options *opt, const atomic_bool *stop, struct guest *out,
               struct err *err);
void guest_fini(struct guest *g);
/* The directory for unnamed temporary files; borrowed. */
const char *guest_spool_dir(const struct create_options *opt);

/* Choose pv or pvh, if the user did not. */
int guest_choose_type(struct guest *g, struct err *err);

/* Determine label, UUID and device name of the disks. */
int guest_expect(struct guest *g, struct err *err);

/* From the guest's name and system: domain UUID, MAC, disk id; one more UUID. */
void guest_derive(struct guest *g);
void guest_derive_uuid(const struct guest *g, const char *what, uint8_t out[16]);
void guest_uuid_text(const uint8_t uuid[16], char out[static 37]);
bool guest_uuid_parse(struct str s, uint8_t out[16]);

/* The xl config. */
void guest_config(const struct guest *g, struct buf *out);

/* Print what was made, or would be, as text or JSON. plans: one for each disk. */
void guest_report(const struct guest *g, const struct image_plan *plans);

#endif
