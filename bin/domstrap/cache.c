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
#include "json_out.h"
#include "options.h"
#include "source.h"
#include "ui.h"

static const char usage[] = "usage: domstrap cache [options]\n\n"
                            "Prints the size of the directory of downloads, or empties it.\n\n"
                            "      --clean               empty the directory\n"
                            "      --cache-dir DIR       use DIR instead of the default directory\n"
                            "      --conf FILE           read FILE instead of /etc/domstrap.conf\n"
                            "      --json                print JSON\n"
                            "  -h, --help                print this help\n";

struct options {
	const char *dir, *conf;
	bool clean, json;
};

/* 0; 1: --help was printed; -ERR_USAGE. */
static int parse(int argc, char **argv, struct options *o, struct err *err)
{
	static const struct option list[] = {
	        {"clean", no_argument, NULL, 'c'},      {"cache-dir", required_argument, NULL, 'd'},
	        {"conf", required_argument, NULL, 'f'}, {"json", no_argument, NULL, 'j'},
	        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
	};
	int c, rc;

	option_begin();
	while ((rc = option_next(argc, argv, "h", list, &c, err)) == 0) {
		if (c == 'h') {
			fputs(usage, stdout);
			return 1;
		}
		o->clean |= c == 'c';
		o->json |= c == 'j';
		if (c == 'd')
			o->dir = optarg;
		if (c == 'f')
			o->conf = optarg;
	}
	if (rc < 0)
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
