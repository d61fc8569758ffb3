/* SPDX-License-Identifier: MIT */
/* A window as libext2fs wants to see a disk. Only ext.c includes this. */
#ifndef FS_EXT_IO_H
#define FS_EXT_IO_H

#include <ext2fs/ext2fs.h>

#include "base/err.h"
#include "disk/window.h"

/*
 * Open the file system in *w through libext2fs, for reading. *w and *fault are
 * borrowed until ext2fs_free(). A failing read fills *fault (code stays
 * ERR_NONE otherwise), for libext2fs itself only knows numbers.
 */
errcode_t ext_io_open(const struct window *w, struct err *fault, int flags, ext2_filsys *out);

#endif
