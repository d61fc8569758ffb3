/* SPDX-License-Identifier: MIT */
/* Everything that can be asked of a file system, with bounds on the time. */
#ifndef FUZZ_FS_EXPLORE_H
#define FUZZ_FS_EXPLORE_H

#include <stddef.h>
#include <stdint.h>

void fs_explore(const uint8_t *image, size_t size);

#endif
