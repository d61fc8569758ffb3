/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "message.h"

#define CONFIG_MAX 65536

const char options_help[] =
        "usage: domgrub [OPTION…] DISK\n"
        "Reads the boot menu on a Xen guest's disk and hands its kernel to xl.\n\n"
        "  -q, --quiet              show no menu\n"
        "  -i, --interactive        show the menu on a terminal (default)\n"
        "  -l, --list-entries       print the menu's entries and exit\n"
        "      --json               with -l: as JSON\n"
        "  -n, --not-really         do not copy kernel and ramdisk\n"
        "      --entry=ENTRY        boot this entry (number, title, id or a>b)\n"
        "                           and show no menu\n"
        "      --kernel=PATH        boot this kernel of the guest, without a menu\n"
        "      --ramdisk=PATH       with --kernel: its ramdisk\n"
        "      --args=TEXT          additional kernel arguments\n"
        "      --disk=PATH          another disk of the guest; may repeat\n"
        "      --offset=BYTES       where the file system starts on DISK\n"
        "      --output=FILE        write the answer to FILE (-: standard output)\n"
        "      --output-format=sxp|simple|simple0\n"
        "                           format of the answer (default: sxp)\n"
        "      --output-directory=DIR\n"
        "                           write kernel and ramdisk to DIR\n"
        "      --runas=UID          user ID of the jail that reads the disk\n"
        "      --write-env          clear GRUB's next_entry on the disk\n"
        "      --isconfig           DISK is a menu file\n"
        "      --config=FILE        read FILE instead of /etc/domgrub.conf\n"
        "      --debug              print debug messages\n"
        "  -h, --help               print this\n"
        "      --version            print the version\n";

enum {
	OPT_OUTPUT = 256,
	OPT_FORMAT,
	OPT_DIRECTORY,
	OPT_OFFSET,
	OPT_RUNAS,
	OPT_ENTRY,
	OPT_KERNEL,
	OPT_RAMDISK,
	OPT_ARGS,
	OPT_ISCONFIG,
	OPT_DEBUG,
	OPT_JSON,
	OPT_DISK,
	OPT_WRITE_ENV,
	OPT_CONFIG,
	OPT_VERSION,
};

static const struct option longs[] = {
        {"quiet", no_argument, NULL, 'q'},
        {"interactive", no_argument, NULL, 'i'},
        {"list-entries", no_argument, NULL, 'l'},
        {"not-really", no_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},
        {"output", required_argument, NULL, OPT_OUTPUT},
        {"output-format", required_argument, NULL, OPT_FORMAT},
        {"output-directory", required_argument, NULL, OPT_DIRECTORY},
        {"offset", required_argument, NULL, OPT_OFFSET},
        {"runas", required_argument, NULL, OPT_RUNAS},
        {"entry", required_argument, NULL, OPT_ENTRY},
        {"kernel", required_argument, NULL, OPT_KERNEL},
        {"ramdisk", required_argument, NULL, OPT_RAMDISK},
        {"args", required_argument, NULL, OPT_ARGS},
        {"isconfig", no_argument, NULL, OPT_ISCONFIG},
        {"debug", no_argument, NULL, OPT_DEBUG},
        {"d", no_argument, NULL, OPT_DEBUG}, /* pygrub's abbreviation, next to --disk */
        {"json", no_argument, NULL, OPT_JSON},
        {"disk", required_argument, NULL, OPT_DISK},
        {"write-env", no_argument, NULL, OPT_WRITE_ENV},
        {"config", required_argument, NULL, OPT_CONFIG},
        {"version", no_argument, NULL, OPT_VERSION},
        {NULL, 0, NULL, 0},
};

static void set_text(char **to, const char *text)
{
	free(*to);
	*to = xstrdup(text);
}

static int set_uid(struct options *o, const char *text, struct err *err)
{
	uint64_t v;

	if (!str_u64(str_from(text), 10, UINT32_MAX - 1, &v) || v == 0)
		return err_set(err, ERR_USAGE, "need a non-root user ID, got \"%s\"", text);
	o->uid = (uid_t)v;
	return 0;
}

static int set_format(struct options *o, const char *text, struct err *err)
{
	if (handoff_format_parse(text, &o->format) != 0)
		return err_set(err, ERR_USAGE,
		               "unknown output format \"%s\"; expected sxp, simple or simple0",
		               text);
	return 0;
}

static int add_disk(struct options *o, const char *path, struct err *err)
{
	if (!*path)
		return err_set(err, ERR_USAGE, "empty path");
	if (o->disks == OPTIONS_DISKS_MAX)
		return err_set(err, ERR_USAGE, "more than %d disks", OPTIONS_DISKS_MAX);
	o->disk[o->disks++] = xstrdup(path);
	return 0;
}

/* The configuration file: "key = value", "#" starts a comment. */
struct key {
	const char *name;
	int (*set)(struct options *o, const char *text, struct err *err);
	/* If set is NULL: a bool, a uint64_t or a size_t at this offset in struct options. */
	enum { KEY_FLAG, KEY_NUMBER, KEY_LIMIT } kind;
	size_t offset;
	uint64_t max; /* largest value of a number */
};

static int set_directory(struct options *o, const char *text, struct err *err)
{
	if (!*text)
		return err_set(err, ERR_USAGE, "empty path");
	set_text(&o->directory, text);
	return 0;
}

static int set_known(struct options *o, const char *text, struct err *err)
{
	if (strcmp(text, "no") != 0 && text[0] != '/')
		return err_set(err, ERR_USAGE, "need an absolute path or \"no\", got \"%s\"", text);
	set_text(&o->known, text);
	return 0;
}

static int set_entry(struct options *o, const char *text, struct err *err)
{
	set_text(&o->entry, text);
	return 0;
}

static int set_args(struct options *o, const char *text, struct err *err)
{
	set_text(&o->args, text);
	return 0;
}

/* Limits for numbers without a natural one: no calculation overflows. */
#define SECONDS_MAX (1u << 20)
#define BYTES_MAX (1ull << 50)
#define COUNT_MAX (1u << 30)

#define NUMBER(field, most)                                                                        \
	.kind = KEY_NUMBER, .offset = offsetof(struct options, field), .max = (most)
#define LIMIT(field, most)                                                                         \
	.kind = KEY_LIMIT, .offset = offsetof(struct options, limits.field), .max = (most)
#define FLAG(field) .kind = KEY_FLAG, .offset = offsetof(struct options, field)

static const struct key keys[] = {
        {"runas", .set = set_uid},
        {"output-format", .set = set_format},
        {"output-directory", .set = set_directory},
        {"entry", .set = set_entry},
        {"args", .set = set_args},
        {"disk", .set = add_disk},
        {"quiet", FLAG(quiet)},
        {"write-env", FLAG(write_env)},
        {"check-kernel", FLAG(check_kernel)},
        {"known-kernels", .set = set_known},
        {"max-kernel", NUMBER(kernel_max, BYTES_MAX)},
        {"max-ramdisk", NUMBER(ramdisk_max, BYTES_MAX)},
        {"max-memory", NUMBER(memory, BYTES_MAX)},
        {"max-cpu-seconds", NUMBER(cpu, SECONDS_MAX)},
        {"max-seconds", NUMBER(time, SECONDS_MAX)},
        {"max-copy-seconds", NUMBER(copy_time, SECONDS_MAX)},
        {"max-config", LIMIT(config, COUNT_MAX)},
        {"max-steps", LIMIT(steps, COUNT_MAX)},
        {"max-entries", LIMIT(entries, MSG_ENTRIES_MAX)},
        {"max-initrds", LIMIT(initrds, MSG_INITRDS_MAX)},
        {"max-names", LIMIT(names, COUNT_MAX)},
        {"max-value", LIMIT(value, COUNT_MAX)},
};

static int set_flag(bool *flag, const char *text, struct err *err)
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return err_set(err, ERR_USAGE, "need yes or no, got \"%s\"", text);
	*flag = text[0] == 'y';
	return 0;
}

static int key_set(struct options *o, const struct key *k, const char *text, struct err *err)
{
	char *at = (char *)o + k->offset;
	uint64_t v;

	if (k->set)
		return k->set(o, text, err);
	if (k->kind == KEY_FLAG)
		return set_flag((bool *)at, text, err);
	if (!str_size(str_from(text), &v) || v == 0)
		return err_set(err, ERR_USAGE,
		               "need a number above 0, with or without K, M or G, got \"%s\"",
		               text);
	if (v > k->max)
		return err_set(err, ERR_USAGE, "%s is larger than the limit of %" PRIu64, text,
		               k->max);
	if (k->kind == KEY_NUMBER)
		*(uint64_t *)(void *)at = v;
	else
		*(size_t *)(void *)at = (size_t)v;
	return 0;
}

static int config_line(struct options *o, struct str line, struct err *err)
{
	struct str rest = line, name;
	_free_ char *value = NULL;

	line = str_trim(str_cut(&rest, '#'));
	if (!line.n)
		return 0;
	rest = line;
	name = str_trim(str_cut(&rest, '='));
	if (!rest.p)
		return err_set(err, ERR_USAGE, "no \"=\" in \"%.*s\"", STR_ARG(line));
	rest = str_trim(rest);
	value = xstrndup(rest.p, rest.n);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (str_is(name, keys[i].name)) {
			int rc = key_set(o, &keys[i], value, err);

			return rc < 0 ? err_prefix(err, "%s", keys[i].name) : 0;
		}
	return err_set(err, ERR_USAGE, "unknown key \"%.*s\"", STR_ARG(name));
}

/* A missing file is an error only if the user named it. */
static int config_read(struct options *o, struct err *err)
{
	const char *path = o->config ? o->config : OPTIONS_CONFIG;
	struct buf b = BUF_INIT;
	unsigned number = 1;
	struct str rest;
	int rc = io_read_file(AT_FDCWD, path, CONFIG_MAX, &b, err);

	if (rc == -ERR_NOENT && !o->config)
		return 0;
	for (rest = buf_str(&b); rc == 0 && rest.p; number++) {
		rc = config_line(o, str_cut(&rest, '\n'), err);
		if (rc < 0)
			rc = err_prefix(err, "%s: line %u", path, number);
	}
	buf_fini(&b);
	return rc;
}

static int option_flag(struct options *o, int c)
{
	switch (c) {
	case 'q':
		o->quiet = true;
		return 0;
	case 'i':
		o->quiet = false;
		return 0;
	case 'l':
		o->list = true;
		return 0;
	case 'n':
		o->not_really = true;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	case OPT_ISCONFIG:
		o->is_config = true;
		return 0;
	case OPT_DEBUG:
		o->debug = true;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_WRITE_ENV:
		o->write_env = true;
		return 0;
	case OPT_VERSION:
		o->version = true;
		return 0;
	default:
		return 1;
	}
}

static int option_value(struct options *o, int c, const char *text, struct err *err)
{
	switch (c) {
	case OPT_OUTPUT:
		set_text(&o->output, text);
		return 0;
	case OPT_FORMAT:
		return set_format(o, text, err);
	case OPT_DIRECTORY:
		return set_directory(o, text, err);
	case OPT_OFFSET:
		o->has_offset = true;
		if (str_u64(str_from(text), 10, INT64_MAX, &o->offset))
			return 0;
		return err_set(err, ERR_USAGE, "need a number of bytes, got \"%s\"", text);
	case OPT_RUNAS:
		o->uid_asked = true;
		return set_uid(o, text, err);
	case OPT_ENTRY:
		set_text(&o->entry, text);
		return 0;
	case OPT_KERNEL: /* an empty one is ignored, as by pygrub */
		free(take(&o->kernel));
		o->kernel = *text ? xstrdup(text) : NULL;
		return 0;
	case OPT_RAMDISK:
		set_text(&o->ramdisk, text);
		return 0;
	case OPT_ARGS:
		set_text(&o->args, text);
		return 0;
	case OPT_DISK:
		return add_disk(o, text, err);
	default:
		return 0; /* --config was seen before */
	}
}

/* getopt has printed the error itself. */
static int each_option(struct options *o, int argc, char **argv, bool config_only, struct err *err)
{
	int c, index = 0;

	optind = 0;
	opterr = !config_only;
	while ((c = getopt_long(argc, argv, "qilnh", longs, &index)) != -1) {
		int rc = 0;

		if (c == '?')
			return err_set(err, ERR_USAGE, "see \"domgrub --help\"");
		if (config_only) {
			if (c == OPT_CONFIG)
				set_text(&o->config, optarg);
			continue;
		}
		if (option_flag(o, c) != 0)
			rc = option_value(o, c, optarg, err);
		if (rc < 0)
			return err_prefix(err, "--%s", longs[index].name);
	}
	return 0;
}

static int image_take(struct options *o, int argc, char **argv, struct err *err)
{
	for (int i = optind; i < argc; i++) {
		/* libxl passes an empty string in bootloader_args on. */
		if (!argv[i][0])
			continue;
		if (o->image)
			return err_set(err, ERR_USAGE,
			               "unexpected argument \"%s\"; give further disks with --disk",
			               argv[i]);
		o->image = xstrdup(argv[i]);
	}
	if (!o->image)
		return err_set(err, ERR_USAGE, "missing DISK; see \"domgrub --help\"");
	return 0;
}

/* pygrub's two environment variables, in MiB; other texts than numbers are ignored. */
static void environment_read(struct options *o)
{
	const char *file = getenv("PYGRUB_MAX_FILE_SIZE_MB");
	const char *ram = getenv("PYGRUB_MAX_RAM_USAGE_MB");
	uint64_t v;

	if (file && str_u64(str_from(file), 10, 1u << 30, &v) && v) {
		o->kernel_max = v << 20;
		o->ramdisk_max = v << 20;
	}
	if (ram && str_u64(str_from(ram), 10, 1u << 30, &v) && v)
		o->memory = v << 20;
}

int options_parse(int argc, char **argv, struct options *out, struct err *err)
{
	struct options o = {.uid = DEFAULT_UID,
	                    .check_kernel = true,
	                    .kernel_max = LIMIT_KERNEL,
	                    .ramdisk_max = LIMIT_RAMDISK,
	                    .memory = LIMIT_MEMORY,
	                    .cpu = LIMIT_CPU,
	                    .time = LIMIT_TIME,
	                    .copy_time = LIMIT_COPY,
	                    .limits = grub_limits_default};
	int rc;

	(void)each_option(&o, argc, argv, true, err);
	rc = config_read(&o, err);
	environment_read(&o);
	if (rc == 0)
		rc = each_option(&o, argc, argv, false, err);
	if (rc == 0 && !o.help && !o.version)
		rc = image_take(&o, argc, argv, err);
	if (rc < 0) {
		options_fini(&o);
		return rc;
	}
	*out = o;
	return 0;
}

void options_fini(struct options *o)
{
	free(o->image);
	for (size_t i = 0; i < o->disks; i++)
		free(o->disk[i]);
	free(o->output);
	free(o->directory);
	free(o->known);
	free(o->entry);
	free(o->kernel);
	free(o->ramdisk);
	free(o->args);
	free(o->config);
	*o = (struct options){0};
}
