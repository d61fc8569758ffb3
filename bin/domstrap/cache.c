/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cache/cache_dir.h"
#include "command.h"
#include "ui/json_out.h"
#include "ui/rows.h"
#include "source/source.h"
#include "ui/ui.h"

struct options {
	const char *dir, *conf;
	bool clean, json;
};

static const struct option_row rows[] = {
        ROW_TRUE("clean", "empty the directory", struct options, clean),
        ROW_TEXT("cache-dir", "DIR", "use DIR instead of the default directory", struct options,
                 dir),
        ROW_TEXT("conf", "FILE", "read FILE instead of /etc/domstrap.conf", struct options, conf),
        ROW_TRUE("json", "print JSON", struct options, json),
        ROW_HELP,
};
static const struct option_set set =
        SET_OF_ROWS("cache",
                    "usage: domstrap cache [options]\n\n"
                    "Prints the size of the directory of downloads, or empties it.\n\n",
                    rows);

/* 0; 1: --help was printed; -ERR_USAGE. */
static int parse(int argc, char **argv, struct options *o, struct err *err)
{
	int rc = options_read(&set, argc, argv, o, err);

	if (rc)
		return rc;
	if (optind < argc)
		return err_set(err, ERR_USAGE, "unexpected argument \"%s\"", argv[optind]);
	return 0;
}

static void report(const struct options *o, const char *dir, const struct cache_dir_usage *u)
{
	char size[16];

	if (o->json) {
		json_t *root = json_out_new();

		json_object_set_new(root, "directory", json_string(dir));
		json_object_set_new(root, "files", json_integer((json_int_t)u->files));
		json_object_set_new(root, "bytes", json_integer((json_int_t)u->bytes));
		json_object_set_new(root, "cleaned", json_boolean(o->clean));
		json_out_print(root, stdout);
		return;
	}
	printf("%s: %" PRIu64 " files, %s%s\n", dir, u->files, str_human(u->bytes, size),
	       o->clean ? ", removed" : "");
}

static int run(const struct options *o, struct err *err)
{
	struct cache_dir_usage usage_of = {0};
	struct cache_dir *open_dir = NULL;
	struct conf conf;
	_free_ char *dir = NULL;
	int rc = conf_load(o->conf ? o->conf : CONF_FILE, o->conf, &conf, err);

	if (rc < 0)
		return rc;
	dir = source_cache_dir(o->dir, &conf);
	conf_fini(&conf);
	if (!dir)
		return err_set(err, ERR_USAGE,
		               "no directory of downloads; set one with --cache-dir");
	rc = cache_dir_open(dir, false, &open_dir, err);
	if (rc == 0)
		rc = cache_dir_usage(open_dir, o->clean, &usage_of, err);
	cache_dir_free(open_dir);
	/* The directory does not exist: no download was ever kept. */
	if (rc == -ERR_NOENT)
		rc = 0;
	if (rc == 0)
		report(o, dir, &usage_of);
	return rc;
}

int cmd_cache(int argc, char **argv)
{
	struct options o = {0};
	struct err err = ERR_INIT;
	int rc;

	ui_init(UI_NORMAL);
	rc = parse(argc, argv, &o, &err);
	if (rc == 0)
		rc = run(&o, &err);
	return rc < 0 ? command_failed(&err) : STATUS_DONE;
}
