/* SPDX-License-Identifier: MIT */
/* The editor's side, in the jail. */
#ifndef DOMSTRAP_EDITOR_CHILD_H
#define DOMSTRAP_EDITOR_CHILD_H

#include "editor/editor.h"
#include "image/stream_wire.h"
#include "jail/jail_lines.h"
#include "nixos/direct.h"

/* Data that it gets by the fork, with descriptors numbered as in the jail. */
struct editor_child {
	struct off_guest off;    /* disks and config; nothing found yet */
	struct direct_host host; /* its files; the operations are the child's own */
	int copy[DIRECT_FILES];  /* to write; -1: copy_err says why there is none */
	struct err copy_err[DIRECT_FILES];
	int (*work)(struct editor *e, void *arg, struct err *err);
	void *arg;
	struct jail_lines lines; /* of stream_wire.h, and their memory */
	struct stream_memory *memory;
	int spool; /* for NARs */
};

/* For jail_start(): arg is a struct editor_child. */
int editor_main(void *arg);

/*
 * Ask the parent. PIECE messages before the answer are appended to *out, which may be NULL. 0, or
 * the parent's error. Exits if the line is broken.
 */
int editor_ask(uint32_t type, struct str body, struct buf *out, struct err *err);
/* Tell it something that has no answer. */
void editor_tell(uint32_t type, struct str body);
/* The data of this process. */
const struct editor_child *editor_child_data(void);

#endif
