/* SPDX-License-Identifier: MIT */
#include "offline_options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "options.h"

#define NUMBER_MAX 1000000u
#define DAY_S 86400

enum {
	OPT_JSON = 256,
	OPT_SYSTEM,
	OPT_SIZE,
	OPT_BOOT_SIZE,
	OPT_WIPE,
	OPT_LIMIT,
	OPT_NO_VERIFY,
	OPT_TO,
	OPT_KEEP,
	OPT_OLDER,
	OPT_NO_FSCK,
	OPT_PATHS,
	OPT_CONFIGURATION,
};

#define OPTION_ROW(name, has_arg, value) {{name, has_arg, NULL, value}, TAKES_SYSTEM},

static const struct {
	struct option option;
	unsigned takes; /* 0: all */
} table[] = {
        {{"json", no_argument, NULL, OPT_JSON}, 0},
        {{"quiet", no_argument, NULL, 'q'}, 0},
        {{"verbose", no_argument, NULL, 'v'}, 0},
        {{"help", no_argument, NULL, 'h'}, 0},
        {{"dry-run", no_argument, NULL, 'n'}, TAKES_WRITE},
        {{"system", required_argument, NULL, OPT_SYSTEM}, TAKES_SYSTEM | TAKES_TOPLEVEL},
        SOURCE_OPTION_ROWS(OPTION_ROW) NIX_OPTION_ROWS(OPTION_ROW){
                {"configuration", required_argument, NULL, OPT_CONFIGURATION}, TAKES_SYSTEM},
        {{"size", required_argument, NULL, OPT_SIZE}, TAKES_SYSTEM},
        {{"boot-size", required_argument, NULL, OPT_BOOT_SIZE}, TAKES_SYSTEM},
        {{"wipe", no_argument, NULL, OPT_WIPE}, TAKES_SYSTEM},
        {{"limit", required_argument, NULL, OPT_LIMIT}, TAKES_SYSTEM},
        {{"no-verify", no_argument, NULL, OPT_NO_VERIFY}, TAKES_SYSTEM},
        {{"threads", required_argument, NULL, 'j'}, TAKES_THREADS},
        {{"no-fsck", no_argument, NULL, OPT_NO_FSCK}, TAKES_FSCK},
        {{"paths", no_argument, NULL, OPT_PATHS}, TAKES_PATHS},
        {{"to", required_argument, NULL, OPT_TO}, TAKES_TO},
        {{"keep", required_argument, NULL, OPT_KEEP}, TAKES_KEEP},
        {{"older-than", required_argument, NULL, OPT_OLDER}, TAKES_KEEP},
};

static int number(const char *what, const char *text, unsigned max, unsigned *out, struct err *err)
{
	uint64_t v;

	if (!str_u64(str_from(text), 10, max, &v) || !v)
		return err_set(err, ERR_USAGE, "%s '%s': expected a number from 1 to %u", what,
		               text, max);
	*out = (unsigned)v;
	return 0;
}

static int take_option(struct offline_request *r, int opt, const char *arg, struct err *err)
{
	unsigned days = 0;
	int rc = source_option(opt, arg, &r->source, err);

	if (rc != 1)
		return rc;
	switch (opt) {
	case OPT_JSON:
		r->common.json = true;
		return 0;
	case 'q':
		r->common.level = UI_QUIET;
		return 0;
	case 'v':
		r->common.level = UI_VERBOSE;
		return 0;
	case 'n':
		r->common.dry_run = true;
		return 0;
	case OPT_SYSTEM:
		r->system = arg;
		return 0;
	case OPT_CONFIGURATION:
		r->configuration = arg;
		return 0;
	case OPT_SIZE:
		r->size = arg;
		return 0;
	case OPT_BOOT_SIZE:
		r->boot_size = arg;
		return 0;
	case OPT_NO_VERIFY:
		r->verify = false;
		return 0;
	case OPT_WIPE:
		r->wipe = true;
		return 0;
	case OPT_NO_FSCK:
		r->fsck = false;
		return 0;
	case OPT_PATHS:
		r->paths = true;
		return 0;
	case OPT_LIMIT:
		return number("--limit", arg, NUMBER_MAX, &r->limit, err);
	case 'j':
		return number("--threads", arg, 16, &r->threads, err);
	case OPT_TO:
		return number("--to", arg, NUMBER_MAX, &r->to, err);
	case OPT_KEEP:
		return number("--keep", arg, NUMBER_MAX, &r->keep, err);
	default:
		rc = strcmp(arg, "0") ? number("--older-than", arg, NUMBER_MAX, &days, err) : 0;
		r->older_s = (int64_t)days * DAY_S;
		return rc;
	}
}

/* The options of one command, and their short forms. */
static void choose(unsigned takes, struct option *longs, char *shorts)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (table[i].takes && !(table[i].takes & takes))
			continue;
		*longs++ = table[i].option;
		if (table[i].option.val > 255)
			continue;
		*shorts++ = (char)table[i].option.val;
		if (table[i].option.has_arg)
			*shorts++ = ':';
	}
	*longs = (struct option){0};
	*shorts = 0;
}

int offline_options_parse(int argc, char **argv, unsigned takes, const char *usage,
                          struct offline_request *out, struct err *err)
{
	struct offline_request r = {.verify = true, .fsck = true, .older_s = -1};
	struct option longs[ARRAY_LEN(table) + 1];
	char shorts[2 * ARRAY_LEN(table) + 1];
	int opt, rc = 0;

	choose(takes, longs, shorts);
	r.threads = pool_threads();
	option_begin();
	while ((rc = option_next(argc, argv, shorts, longs, &opt, err)) == 0) {
		if (opt == 'h') {
			fputs(usage, stdout);
			return 1;
		}
		rc = nix_option(opt, optarg, argc, argv, &r.nix, err);
		if (rc == 1)
			rc = take_option(&r, opt, optarg, err);
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	for (; optind < argc; optind++) {
		if (r.common.n_args == ARGUMENTS_MAX)
			return err_set(err, ERR_USAGE, "more than %d arguments", ARGUMENTS_MAX);
		r.common.args[r.common.n_args++] = argv[optind];
	}
	if (!r.common.n_args && !(takes & TAKES_NO_GUEST))
		return err_set(err, ERR_USAGE,
		               "%s: missing GUEST; give an xl config, an image or a block device",
		               argv[0]);
	rc = nix_options_check(&r.nix, r.system, r.source.from.n > 0, err);
	if (rc == 0)
		*out = r;
	return rc;
}
