/* SPDX-License-Identifier: MIT */
/*
 * What a guest gets in its /etc/nixos: the configuration or the flake that its
 * system was built from.
 */
#ifndef DOMSTRAP_NIXOS_FILES_H
#define DOMSTRAP_NIXOS_FILES_H

#include "base/buf.h"
#include "inspector/etc_place.h"
#include "source/nix_build.h"
#include "nixos/guest_state.h"
#include "nixos/nixroot.h"

#define NIXOS_FILES_MAX 3

/* Zeroed: none. */
struct nixos_files {
	struct nixroot_file v[NIXOS_FILES_MAX];
	struct buf texts[NIXOS_FILES_MAX]; /* what v points into */
	size_t n;
};

/*
 * configuration is --configuration's value or NULL: then it is --config's file,
 * what a local flake has in its directory (flake.nix, flake.lock and
 * configuration.nix), or --file's file as system.nix, with the configuration.nix
 * beside it.
 */
int nixos_files_load(const struct nix_options *nix, const char *configuration,
                     struct nixos_files *out, struct err *err);
void nixos_files_fini(struct nixos_files *f);

/*
 * Whether a system will see them in its /etc: where not, files that somebody asked for
 * with --configuration are refused, and others left out, which a warning says.
 */
int nixos_files_check(struct nixos_files *f, const char *configuration, const char *toplevel,
                      enum etc_place etc, struct err *err);

/*
 * Put them into a guest that is off, below the directory etc. What the guest has under
 * these names and is not the same stays beside them as NAME.old.
 */
int nixos_files_put(const struct nixos_files *f, struct ext4_edit *root, const char *etc,
                    struct err *err);

/*
 * Root's channel for a system of the version, where the guest has none, or the
 * one that belonged to the version before ("" unknown).
 */
int nixos_channel_put(struct ext4_edit *root, const char *before, const char *version,
                      struct err *err);

#endif
