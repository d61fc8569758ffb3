/* SPDX-License-Identifier: MIT */
/*
 * boot.initrd.secrets: what NixOS's installer for the boot loader puts into a
 * second initrd, by running a program of the system on the machine itself. It
 * cannot be made from outside; so whoever makes or changes a guest says it.
 */
#ifndef NIXOS_SECRETS_H
#define NIXOS_SECRETS_H

#include <stdbool.h>

#include "ext4/ext4_edit.h"
#include "nixos/root_reader.h"
#include "store/files.h"

#define SECRETS_SUFFIX "-secrets"

/*
 * Whether a system has secrets to add: toplevel's append-initrd-secrets, or what
 * boot.json calls initrdSecrets, is there and does something. (NixOS gives
 * one to systems without secrets, too; it ends at once.)
 */
int secrets_find(const struct root_reader *r, const char *toplevel, bool *out, struct err *err);
/* The same in a guest that is off, and in the store that a system comes from. */
int secrets_in_guest(struct ext4_edit *root, const char *toplevel, bool *out, struct err *err);
int secrets_in_files(struct store_files *files, const char *toplevel, bool *out, struct err *err);

#endif
