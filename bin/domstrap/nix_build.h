/* SPDX-License-Identifier: MIT */
/*
 * From a configuration, a file or a flake to a built system, with the real Nix:
 * "domstrap build", and --config, --file and --flake of create and update.
 */
#ifndef DOMSTRAP_NIX_BUILD_H
#define DOMSTRAP_NIX_BUILD_H

#include <stdbool.h>

#include "text_list.h"
#include "ui.h"

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

enum {
	OPT_NIX_CONFIG = 512,
	OPT_NIX_NIXPKGS,
	OPT_NIX_FLAKE,
	OPT_NIX_FILE,
	OPT_NIX_ATTR,
	OPT_NIX_OPTION,
	OPT_NIX_MAX_JOBS,
	OPT_NIX_LOG_FORMAT,
	OPT_NIX_SHOW_TRACE,
};

/* Rows for a table of getopt_long(3): ROW(name, has_arg, value). */
#define NIX_OPTION_ROWS(ROW)                                                                       \
	ROW("config", required_argument, OPT_NIX_CONFIG)                                           \
	ROW("nixpkgs", required_argument, OPT_NIX_NIXPKGS)                                         \
	ROW("flake", required_argument, OPT_NIX_FLAKE)                                             \
	ROW("file", required_argument, OPT_NIX_FILE)                                               \
	ROW("attr", required_argument, OPT_NIX_ATTR)                                               \
	ROW("option", required_argument, OPT_NIX_OPTION)                                           \
	ROW("max-jobs", required_argument, OPT_NIX_MAX_JOBS)                                       \
	ROW("log-format", required_argument, OPT_NIX_LOG_FORMAT)                                   \
	ROW("show-trace", no_argument, OPT_NIX_SHOW_TRACE)                                         \
	ROW("print-build-logs", no_argument, 'L')

/* The same for people; --config and --max-jobs are the commands' own to tell. */
#define NIX_USAGE                                                                                  \
	"      --nixpkgs PATH|NAME   nixpkgs to build with (default: <nixpkgs>)\n"                 \
	"      --flake REF[#HOST]    build a flake's nixosConfigurations.HOST instead\n"           \
	"      --file FILE           build the NixOS system that a Nix file evaluates to\n"        \
	"      --attr ATTR           its attribute in FILE (default FILE: system.nix)\n"           \
	"      --option NAME VALUE   a setting of nix.conf(5); may repeat\n"                       \
	"      --show-trace          print where an evaluation error comes from\n"                 \
	"  -L, --print-build-logs    print the builders' full output\n"                            \
	"      --log-format FORMAT   of Nix's messages: raw, bar, internal-json…\n"

/*
 * Take one of these options. --option's second word is taken from argv.
 * 0, 1: none of them, -ERR_USAGE.
 */
int nix_option(int c, const char *arg, int argc, char **argv, struct nix_options *out,
               struct err *err);
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
