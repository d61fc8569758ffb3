/* SPDX-License-Identifier: MIT */
/*
 * The channel that a NixOS version comes from.
 *
 *     25.11.20251201.ccccccc, 25.11beta1.c     https://channels.nixos.org/nixos-25.11
 *     26.05pre-git, 24.05pre123.abcdef         https://channels.nixos.org/nixos-unstable
 */
#ifndef NIX_CHANNEL_H
#define NIX_CHANNEL_H

#include <stdbool.h>

#include "base/str.h"

#define CHANNEL_URL_SIZE 64

/* Write the URL for the contents of nixos-version. false: not such a version. */
bool channel_url(struct str version, char out[static CHANNEL_URL_SIZE]);

#endif
