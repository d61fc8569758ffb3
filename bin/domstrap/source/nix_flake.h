/* SPDX-License-Identifier: MIT */
/*
 * Nix's command lines, and which of a flake's systems is meant. Inside
 * nix_build.c's work only.
 */
#ifndef DOMSTRAP_NIX_FLAKE_H
#define DOMSTRAP_NIX_FLAKE_H

#include "source/nix_build.h"

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

/* Where a NixOS system has its top level. */
#define NIX_TOPLEVEL "config.system.build.toplevel"

/* The whole command line but for where the result's link goes: by --flake, --config, --file. */
int nix_flake_args(struct nix_args *a, const struct nix_request *req, struct err *err);
int nix_config_args(struct nix_args *a, const struct nix_request *req, struct err *err);
int nix_file_args(struct nix_args *a, const struct nix_request *req, struct err *err);

/* Nix failed to build a --config: where it knows no nixpkgs, *err says so and what to do. */
void nix_config_explain(const struct nix_request *req, const char *program, struct err *err);

#endif
