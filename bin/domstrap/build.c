/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "command.h"
#include "nix_build.h"
#include "options.h"

static const char usage[] =
        "usage: domstrap build [--config FILE] [--nixpkgs PATH|NAME] [options]\n"
        "       domstrap build --file FILE [--attr ATTR] [options]\n"
        "       domstrap build --flake REF[#HOST] [options]\n\n"
        "Builds a NixOS system with Nix and prints its store path. Without any of these\n"
        "options it builds ./system.nix, or else ./configuration.nix.\n\n"
        "      --config FILE         NixOS configuration, such as configuration.nix\n" NIX_USAGE
        "  -j, --max-jobs N          number of parallel builds\n"
        "  -o, --out-link LINK       keeps the system from Nix's garbage collector\n"
        "                            (default: result)\n"
        "  -n, --dry-run             print what would be built, build nothing\n"
        "  -q, --quiet               errors and warnings only\n"
        "  -v, --verbose             more messages\n"
        "  -h, --help                print this help\n";

#define ROW(name, has_arg, value) {name, has_arg, NULL, value},
static const struct option long_options[] = {
        NIX_OPTION_ROWS(ROW){"out-link", required_argument, NULL, 'o'},
        {"dry-run", no_argument, NULL, 'n'},
        {"quiet", no_argument, NULL, 'q'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
};
#undef ROW

static void one_option(int c, const char *arg, struct nix_request *req)
{
	if (c == 'o')
		req->link = arg;
	if (c == 'n')
		req->dry_run = true;
	if (c == 'q')
		req->level = UI_QUIET;
	if (c == 'v')
		req->level = UI_VERBOSE;
}

/* nixos-rebuild, too, takes a system.nix before a configuration.nix. */
static void choose_default(struct nix_options *opt)
{
	if (nix_wanted(opt))
		return;
	if (!opt->nixpkgs && access(NIX_SYSTEM_FILE, F_OK) == 0)
		opt->file = NIX_SYSTEM_FILE;
	else
		opt->config = "configuration.nix";
}

/* 1: --help was asked for. */
static int parse(int argc, char **argv, struct nix_options *opt, struct nix_request *req,
                 struct err *err)
{
	int c, rc;

	option_begin();
	while ((rc = option_next(argc, argv, "j:Lo:nqvh", long_options, &c, err)) == 0) {
		if (c == 'h') {
			fputs(usage, stdout);
			return 1;
		}
		rc = nix_option(c == 'j' ? OPT_NIX_MAX_JOBS : c, optarg, argc, argv, opt, err);
		if (rc < 0)
			return rc;
		if (rc)
			one_option(c, optarg, req);
	}
	if (rc < 0)
		return rc;
	if (optind < argc)
		return err_set(err, ERR_USAGE,
		               "unexpected argument \"%s\"; give what to build with --config, "
		               "--file or --flake",
		               argv[optind]);
	choose_default(opt);
	return nix_options_check(opt, NULL, false, err);
}

int cmd_build(int argc, char **argv)
{
	struct nix_options opt = {0};
	struct nix_request req = {.opt = &opt, .link = "result"};
	struct err err = ERR_INIT;
	_free_ char *system = NULL;
	int rc;

	ui_init(UI_NORMAL);
	rc = parse(argc, argv, &opt, &req, &err);
	if (rc)
		return rc < 0 ? command_failed(&err) : STATUS_DONE;
	ui_init(req.level);
	ui_catch_signals();
	rc = nix_build(&req, &system, &err);
	if (rc < 0)
		return command_failed(&err);
	if (req.dry_run)
		ui_say("%s", access(system, F_OK) == 0 ? "already built"
		                                       : "not built yet; it would be built");
	puts(system);
	return STATUS_DONE;
}
