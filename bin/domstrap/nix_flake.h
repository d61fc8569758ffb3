/* SPDX-License-Identifier: MIT */
/*
 * Running Nix, and which of a flake's systems is meant. Inside nix_build.c's
 * work only.
 */
#ifndef DOMSTRAP_NIX_FLAKE_H
#define DOMSTRAP_NIX_FLAKE_H

#include "nix_build.h"

struct buf;

/* A command line in the making; owns its words. */
struct nix_args {
	char *v[3 * LIST_MAX];
	size_t n;
};

void nix_args_add(struct nix_args *a, const char *word);
void nix_args_fini(struct nix_args *a);

/* Run it; what it prints is appended to *out. Its failure is an error. */
int nix_run(struct nix_args *a, struct buf *out, struct err *err);

/* What goes with every command: --option, --show-trace, and what it shows. */
void nix_args_common(struct nix_args *a, const struct nix_request *req);

/* "nix SUBCOMMAND", with what flakes want. */
void nix_args_flakes(struct nix_args *a, const char *subcommand);

/* REF#nixosConfigurations."HOST"ATTRIBUTE; the caller frees it. */
int nix_flake_installable(const struct nix_request *req, const char *attribute, char **out,
                          struct err *err);

#endif
