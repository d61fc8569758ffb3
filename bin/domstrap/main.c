/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "command.h"
#include "ui/ui.h"

static const struct command commands[] = {
        {.name = "init", cmd_init, "write a configuration.nix for a new guest"},
        {.name = "build", cmd_build, "build a system from a configuration or a flake, with Nix"},
        {.name = "create",
         cmd_create,
         "make a guest's disk image and xl config from a built system"},
        {.name = "installer", cmd_installer, "write the xl configs to install NixOS from its CD"},
        {.name = "generations", cmd_generations, "list the generations of a guest that is off"},
        {.name = "update", cmd_update, "add a generation to a guest that is off"},
        {.name = "restart", cmd_restart, "update and restart a running guest, or fall back"},
        {.name = "confirm", cmd_confirm, "make the generation on trial boot by default"},
        {.name = "rollback", cmd_rollback, "make an older generation boot by default"},
        {.name = "gc", cmd_gc, "delete old generations and what only they need"},
        {.name = "check", cmd_check, "check whether a guest will run"},
        {.name = "list", cmd_list, "list guests by their xl configs"},
        {.name = "inspect", cmd_inspect, "show what is on a guest's disks"},
        {.name = "verify",
         cmd_verify,
         "verify the store, file systems and menu of a guest that is off"},
        {.name = "cache", cmd_cache, "show the size of the kept downloads, or remove them"},
};

int command_failed(const struct err *err)
{
	if (err->code == ERR_INTERRUPTED && ui_signal())
		return 128 + ui_signal();
	ui_error(err);
	switch (err->code) {
	case ERR_USAGE:
		return STATUS_USAGE;
	case ERR_BUSY:
		return STATUS_BUSY;
	case ERR_MISMATCH:
		return STATUS_VERIFY;
	default:
		return STATUS_FAILED;
	}
}

static void help(FILE *to)
{
	fputs("usage: domstrap COMMAND [ARGUMENTS]\n"
	      "       domstrap --help | --version\n"
	      "\n"
	      "Makes NixOS guests for Xen on hosts that are not NixOS.\n"
	      "\n"
	      "commands:\n",
	      to);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].summary);
	fputs("\n"
	      "See \"domstrap COMMAND --help\" and domstrap(1) for more.\n",
	      to);
}

/* Output that could not be written is an error. */
static int finish(int status)
{
	bool lost = ferror(stdout);

	lost |= fflush(stdout) != 0;
	if (!lost || status != STATUS_DONE)
		return status;
	fputs("domstrap: cannot write all of the result to standard output\n", stderr);
	return STATUS_FAILED;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help(stdout);
		return finish(STATUS_DONE);
	}
	if (!strcmp(argv[1], "--version")) {
		puts("domstrap " VERSION);
		return finish(STATUS_DONE);
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return finish(commands[i].run(argc - 1, argv + 1));
	fprintf(stderr, "domstrap: unknown command \"%s\"; see \"domstrap --help\"\n", argv[1]);
	return STATUS_USAGE;
}
