/* SPDX-License-Identifier: MIT */
/* The editor's side, in the jail. */
#ifndef DOMSTRAP_EDITOR_CHILD_H
#define DOMSTRAP_EDITOR_CHILD_H

#include "editor.h"
#include "nixos/direct.h"

/* Data that it gets by the fork, with descriptors numbered as in the jail. */
struct editor_child {
	struct off_guest off;    /* disks and config; nothing found yet */
	struct direct_host host; /* its files; the operations are the child's own */
	int copy[DIRECT_FILES];  /* to write; -1: copy_err says why there is none */
	struct err copy_err[DIRECT_FILES];
	int (*work)(struct editor *e, void *arg, struct err *err);
	void *arg;
};

/* For jail_start(): arg is a struct editor_child. */
int editor_main(void *arg);

#endif
