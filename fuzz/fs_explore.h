/* SPDX-License-Identifier: MIT */
/* Calls all functions of lib/fs on a file system, with limits on the time. */
#ifndef FUZZ_FS_EXPLORE_H
#define FUZZ_FS_EXPLORE_H

#include <stddef.h>
#include <stdint.h>

#include "disk/window.h"

void fs_explore(const uint8_t *image, size_t size);
void fs_explore_window(const struct window *w);

#endif
