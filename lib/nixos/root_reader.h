/* SPDX-License-Identifier: MIT */
/* Reading a root file system, whatever it is: a guest's, this host's, or a store of which a system
 * comes. */
#ifndef NIXOS_ROOT_READER_H
#define NIXOS_ROOT_READER_H

#include "base/buf.h"
#include "base/err.h"

struct root_reader {
	/* All of a file, links followed, appended to out. 0; 1: it is not there; -ERR_*. */
	int (*read)(void *ctx, const char *path, size_t limit, struct buf *out, struct err *err);
	/* 0: a file with something in it, links followed; 1: none; -ERR_*. */
	int (*find)(void *ctx, const char *path, struct err *err);
	/* 0: anything, links followed; 1: nothing; -ERR_*. */
	int (*exists)(void *ctx, const char *path, struct err *err);
	void *ctx;
};

#endif
