/* SPDX-License-Identifier: MIT */
/*
 * From a configuration, a file or a flake to a built system, with the real Nix:
 * "domstrap build", and --config, --file and --flake of create and update.
 */
#ifndef DOMSTRAP_NIX_BUILD_H
#define DOMSTRAP_NIX_BUILD_H

#include <stdbool.h>

#include "ui/text_list.h"
#include "ui/ui.h"

/* As given; strings are argv's. */
struct nix_options {
	const char *config;      /* a NixOS configuration, or NULL */
	const char *nixpkgs;     /* NULL: <nixpkgs> */
	const char *flake;       /* REF[#HOST], or NULL */
	const char *file;        /* a Nix file whose value is a NixOS system, or NULL */
	const char *attr;        /* the system's attribute in it; file NULL: system.nix */
	struct text_list option; /* name, value, name, value… */
	const char *max_jobs;
	const char *log_format;
	bool show_trace, build_logs;
};

/* Without --config and --max-jobs, which have other texts in each command. */
extern const struct option_row nix_rows[8];
/* [const char *] the setter of --max-jobs */
option_setter option_max_jobs;

static inline bool nix_wanted(const struct nix_options *o)
{
	return o->config || o->flake || o->file || o->attr;
}
/*
 * What does not go together; system is --system's value or NULL, from: there was
 * a --from.
 */
int nix_options_check(const struct nix_options *o, const char *system, bool from, struct err *err);

/* How a system is built. */
struct nix_request {
	const struct nix_options *opt;
	const char *name; /* of the guest, to find it in a flake; may be NULL */
	const char *link; /* the root that keeps it, replaced where it is one */
	bool dry_run;     /* evaluate only; nothing is written */
	enum ui_level level;
};

/*
 * Build, and give the system's store path, which the caller frees. In a dry run
 * that is what would be built; it may not be there. -ERR_USAGE: no such
 * configuration or host; -ERR_EXISTS: something else has the link's name;
 * -ERR_UNSUPPORTED: no Nix here; -ERR_CHILD: Nix failed, and has said why;
 * -ERR_INTERRUPTED.
 */
int nix_build(const struct nix_request *req, char **system, struct err *err);

/*
 * The same for create and update, which go on with it: in a dry run it must
 * have been built before.
 */
int nix_build_guest(const struct nix_request *req, char **system, struct err *err);

/* The name of the file where only an attribute is given. */
#define NIX_SYSTEM_FILE "system.nix"

/* The directory of a flake on this host, or NULL; the caller frees it. */
char *nix_flake_dir(const char *flake);

#endif
