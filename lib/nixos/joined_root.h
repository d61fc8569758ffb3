/* SPDX-License-Identifier: MIT */
/* A root that is there, but on what the commands that change a guest do not support. */
#ifndef NIXOS_FOREIGN_ROOT_H
#define NIXOS_FOREIGN_ROOT_H

#include "base/err.h"

struct off_guest;

/*
 * No ext4 with a /nix/store was found on the guest's disks: -ERR_UNSUPPORTED, with the file system
 * that has it, or -ERR_NOENT: none has.
 */
int foreign_root(const struct off_guest *off, struct err *err);

#endif
