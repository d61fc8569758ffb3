/* SPDX-License-Identifier: MIT */
/* Changing a guest's xl config: its text is replaced as a whole, or not at all. */
#ifndef NIXOS_CONFIG_FILE_H
#define NIXOS_CONFIG_FILE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct outfile;

/* Write the new text without its name, with owner and mode of the old file, and sync it. */
int config_file_write(const char *config, const struct buf *text, struct outfile *o,
                      struct err *err);

/*
 * Add the boot helper's argument to write GRUB's environment block, where the config lacks it;
 * check: only find out whether that would be done. -ERR_UNSUPPORTED: domstrap did not write this
 * config; the text has the line to add.
 */
int config_file_write_env(const char *config, bool check, struct err *err);

#endif
