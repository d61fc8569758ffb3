/* SPDX-License-Identifier: MIT */
/* A file in a guest's file system as a source of bytes, for a window. */
#ifndef GUEST_FILE_SOURCE_H
#define GUEST_FILE_SOURCE_H

#include "disk/window.h"
#include "fs/fs.h"

/* f is borrowed. */
struct file_source {
	struct source src;
	struct fs_file *f;
};

/* A window over all of the file, of which window_sub() makes a part; s and name must outlive it. */
struct window file_source_window(struct file_source *s, struct fs_file *f, const char *name);

#endif
