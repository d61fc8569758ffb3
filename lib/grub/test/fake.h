/* SPDX-License-Identifier: MIT */
/*
 * A guest's disks described by a text, for tests and fuzz targets:
 *
 *     @device NAME FS UUID LABEL     "-": none; the files that follow are on it
 *     @file PATH                     contents: the lines up to the next "@"
 *     @touch PATH                    a file of one byte
 *     @env PATH                      an environment block with the lines after it
 *
 * Files named "/boot/x" make a directory "/boot". The text is borrowed.
 */
#ifndef GRUB_TEST_FAKE_H
#define GRUB_TEST_FAKE_H

#include "base/buf.h"
#include "grub/files.h"
#include "grub/menu.h"

#define FAKE_DEVICES 16

struct fake_file {
	size_t dev;
	struct str path;
	struct str data;
	struct buf own; /* for generated data: environment blocks */
};

struct fake {
	struct grub_files files;
	struct grub_device devices[FAKE_DEVICES];
	char names[FAKE_DEVICES][32];
	struct grub_probe probes[FAKE_DEVICES];
	struct fake_file *v;
	size_t n, cap;
};

void fake_init(struct fake *f, struct str text);
void fake_fini(struct fake *f);

/* Print a whole menu, with its submenus and entries. */
void show_menu(struct fake *f, struct grub_menu *m, unsigned depth, struct buf *out);
void show_boot(struct fake *f, const struct grub_boot *b, const char *indent, struct buf *out);
void show_writes(struct fake *f, const struct grub_writes *w, const char *indent, struct buf *out);

#endif
