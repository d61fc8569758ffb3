/* SPDX-License-Identifier: MIT */
/*
 * What is on a disk or partition that nobody here can read, by its magic
 * bytes: to tell a person. A name is no promise that the rest is as it should be.
 */
#ifndef DISK_CONTENTS_H
#define DISK_CONTENTS_H

#include "disk/window.h"

/* Its name: "LVM2", "XFS", "a qcow2 image"; static. NULL: nothing that has one. */
const char *contents_name(const struct window *w);

#endif
