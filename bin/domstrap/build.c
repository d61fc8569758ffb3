/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "command.h"
#include "source/nix_build.h"
#include "ui/rows.h"

struct build {
	struct nix_options opt;
	struct nix_request req;
};

#define AT(field) offsetof(struct build, field)

static const struct option_row config_row[] = {
        ROW_TEXT("config", "FILE", "NixOS configuration, such as configuration.nix", struct build,
                 opt.config),
};
static const struct option_row rows[] = {
        {.name = "max-jobs",
         'j',
         "N",
         "number of parallel builds",
         option_max_jobs,
         AT(opt.max_jobs)},
        {.name = "out-link",
         'o',
         "LINK",
         "keeps the system from Nix's garbage collector\n(default: result)",
         option_text,
         AT(req.link)},
        ROW_DRY_RUN(struct build, req.dry_run, "print what would be built, build nothing"),
        ROW_QUIET(struct build, req.level),
        ROW_VERBOSE(struct build, req.level, "more messages"),
        ROW_HELP,
};
static const struct option_group groups[] = {
        OPTION_GROUP(config_row, 0),
        OPTION_GROUP(nix_rows, AT(opt)),
        OPTION_GROUP(rows, 0),
};
static const struct option_set options = SET_OF_GROUPS(
        "build",
        "usage: domstrap build [--config FILE] [--nixpkgs PATH|NAME] [options]\n"
        "       domstrap build --file FILE [--attr ATTR] [options]\n"
        "       domstrap build --flake REF[#HOST] [options]\n\n"
        "Builds a NixOS system with Nix and prints its store path. Without any of these\n"
        "options it builds ./system.nix, or else ./configuration.nix.\n\n",
        groups);

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

/* 1: --help was given. */
static int parse(int argc, char **argv, struct build *b, struct err *err)
{
	int rc = options_read(&options, argc, argv, b, err);

	if (rc)
		return rc;
	if (optind < argc)
		return err_set(err, ERR_USAGE,
		               "unexpected argument \"%s\"; give what to build with --config, "
		               "--file or --flake",
		               argv[optind]);
	choose_default(&b->opt);
	return nix_options_check(&b->opt, NULL, false, err);
}

int cmd_build(int argc, char **argv)
{
	struct build b = {.req = {.opt = &b.opt, .link = "result"}};
	struct err err = ERR_INIT;
	_free_ char *system = NULL;
	int rc;

	ui_init(UI_NORMAL);
	rc = parse(argc, argv, &b, &err);
	if (rc)
		return rc < 0 ? command_failed(&err) : STATUS_DONE;
	ui_init(b.req.level);
	ui_catch_signals();
	rc = nix_build(&b.req, &system, &err);
	if (rc < 0)
		return command_failed(&err);
	if (b.req.dry_run)
		ui_say("%s", access(system, F_OK) == 0 ? "already built"
		                                       : "not built yet; it would be built");
	puts(system);
	return STATUS_DONE;
}
