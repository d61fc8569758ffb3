/* SPDX-License-Identifier: MIT */
/*
 * Unified kernel images (UAPI.5): an EFI program with a Linux kernel in it. systemd-boot
 * shows those in EFI/Linux beside the entries of bls.h, and names and sorts them by their .osrel.
 *
 *     file    = DOS header, "PE\0\0", COFF header, optional header, { section header }, sections
 *     section = ".linux" | ".initrd" | ".cmdline" | ".osrel" | ".uname" | ".profile" | …
 *
 * Sections behind a ".profile" are one profile's; those before the first are for all. The first
 * profile is read, as it is what boots by default.
 */
#ifndef GRUB_UKI_H
#define GRUB_UKI_H

#include "base/mem.h"
#include "grub/bls.h"
#include "grub/context.h"
#include "grub/menu.h"

#define UKI_SECTIONS_MAX 96u
#define UKI_TEXT_MAX (64u << 10) /* bytes of a section with text */

/* Bytes of the file; n 0: it has no such section. */
struct uki_part {
	uint64_t at, n;
};

struct uki {
	struct uki_part linux_, initrd, cmdline, osrel, uname;
};

/* The folder with the images that go with entries in DIR/entries: DIR is "/loader". Owned. */
static inline char *uki_folder(struct str loader)
{
	struct str above = dir_of(loader);

	return xasprintf("%.*s/EFI/Linux", STR_ARG(above));
}

/* 0; 1: no EFI program for x86-64, or without a kernel in it; -ERR_*. */
int uki_read(struct grub_files *files, size_t dev, struct str path, struct uki *out,
             struct err *err);

/* The kernel's command line: control characters are blanks. Appended. */
int uki_cmdline(struct grub_files *files, size_t dev, struct str path, const struct uki *u,
                struct buf *out, struct err *err);

/*
 * As an entry of bls.h that has the key "uki". name is the file's, path with its folder. 0; 1: it
 * is none; -ERR_*: it cannot be read, or its .osrel has no name.
 */
int uki_entry(struct grub_files *files, size_t dev, struct str path, struct str name,
              struct bls_entry *out, struct err *err);

/* Put kernel and initrd of the image into *boot, and the command line if it has none. */
int uki_boot(struct grub_files *files, size_t dev, struct str path, struct grub_boot *boot,
             struct err *err);

#endif
