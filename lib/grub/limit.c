/* SPDX-License-Identifier: MIT */
#include "grub/limit.h"

/* Large menus of real distributions stay under a twentieth of each. */
const struct grub_limits grub_limits_default = {
        .config = 1 << 20,
        .steps = 200000,
        .tree = 16 << 20,
        .nesting = 64,
        .calls = 32,
        .value = 64 << 10,
        .memory = 2 << 20,
        .words = 1024,
        .entries = 4096,
        .initrds = 64,
        .output = 64 << 10,
        .warnings = 64,
        .names = 4096,
};
