/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/str.h"
#include "message.h"

#define CONFIG_MAX 65536
#define OPTION_CONFIG "config"

static void set_text(char **to, const char *text)
{
	free(*to);
	*to = xstrdup(text);
}

static int set_uid(const struct option_row *row, void *to, const char *text, struct err *err)
{
	struct options *o = to;
	uint64_t v;

	if (!str_u64(str_from(text), 10, UINT32_MAX - 1, &v) || v == 0)
		return err_set(err, ERR_USAGE, "need a non-root user ID, got \"%s\"", text);
	o->uid = (uid_t)v;
	return 0;
}

static int set_format(const struct option_row *row, void *to, const char *text, struct err *err)
{
	struct options *o = to;

	if (handoff_format_parse(text, &o->format) != 0)
		return err_set(err, ERR_USAGE,
		               "unknown output format \"%s\"; expected sxp, simple or simple0",
		               text);
	return 0;
}

static int add_disk(const struct option_row *row, void *to, const char *path, struct err *err)
{
	struct options *o = to;

	if (!*path)
		return err_set(err, ERR_USAGE, "empty path");
	if (o->disks == OPTIONS_DISKS_MAX)
		return err_set(err, ERR_USAGE, "more than %d disks", OPTIONS_DISKS_MAX);
	o->disk[o->disks++] = xstrdup(path);
	return 0;
}

static int set_directory(const struct option_row *row, void *to, const char *text, struct err *err)
{
	struct options *o = to;

	if (!*text)
		return err_set(err, ERR_USAGE, "empty path");
	set_text(&o->directory, text);
	return 0;
}

static int set_known(const struct option_row *row, void *to, const char *text, struct err *err)
{
	struct options *o = to;

	if (strcmp(text, "no") != 0 && text[0] != '/')
		return err_set(err, ERR_USAGE, "need an absolute path or \"no\", got \"%s\"", text);
	set_text(&o->known, text);
	return 0;
}

/* [char *], a copy */
static int own_text(const struct option_row *row, void *to, const char *text, struct err *err)
{
	set_text((char **)(void *)((char *)to + row->offset), text);
	return 0;
}

/* [bool] */
static int set_flag(const struct option_row *row, void *to, const char *text, struct err *err)
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return err_set(err, ERR_USAGE, "need yes or no, got \"%s\"", text);
	return text[0] == 'y' ? option_true(row, to, text, err) : option_false(row, to, text, err);
}

/* [uint64_t] at most row->number */
static int set_number(const struct option_row *row, void *to, const char *text, struct err *err)
{
	uint64_t v;

	if (!str_size(str_from(text), &v) || v == 0)
		return err_set(err, ERR_USAGE,
		               "need a number above 0, with or without K, M or G, got \"%s\"",
		               text);
	if (v > row->number)
		return err_set(err, ERR_USAGE, "%s is larger than the limit of %" PRIu64, text,
		               row->number);
	memcpy((char *)to + row->offset, &v, sizeof v);
	return 0;
}

/* [size_t] the same */
static int set_limit(const struct option_row *row, void *to, const char *text, struct err *err)
{
	struct option_row at_zero = *row;
	uint64_t v;
	size_t limit;
	int rc;

	at_zero.offset = 0;
	rc = set_number(&at_zero, &v, text, err);
	if (rc < 0)
		return rc;
	limit = (size_t)v;
	memcpy((char *)to + row->offset, &limit, sizeof limit);
	return 0;
}

/* Limits for numbers without a natural one: no calculation overflows. */
#define SECONDS_MAX (1u << 20)
#define BYTES_MAX (1ull << 50)
#define COUNT_MAX (1u << 30)

#define AT(field) offsetof(struct options, field)
#define FLAG(key, field) {.name = (key), .set = set_flag, .offset = AT(field)}
#define NUMBER(key, field, most)                                                                   \
	{.name = (key), .set = set_number, .offset = AT(field), .number = (most)}
#define LIMIT(key, field, most)                                                                    \
	{.name = (key), .set = set_limit, .offset = AT(limits.field), .number = (most)}

/* The keys of the configuration file: "key = value", "#" starts a comment. */
static const struct option_row keys[] = {
        {.name = "runas", .set = set_uid},
        {.name = "output-format", .set = set_format},
        {.name = "output-directory", .set = set_directory},
        {.name = "entry", .set = own_text, .offset = AT(entry)},
        {.name = "args", .set = own_text, .offset = AT(args)},
        {.name = "disk", .set = add_disk},
        FLAG("quiet", quiet),
        FLAG("write-env", write_env),
        FLAG("check-kernel", check_kernel),
        {.name = "known-kernels", .set = set_known},
        NUMBER("max-kernel", kernel_max, BYTES_MAX),
        NUMBER("max-ramdisk", ramdisk_max, BYTES_MAX),
        NUMBER("max-memory", memory, BYTES_MAX),
        NUMBER("max-cpu-seconds", cpu, SECONDS_MAX),
        NUMBER("max-seconds", time, SECONDS_MAX),
        NUMBER("max-copy-seconds", copy_time, SECONDS_MAX),
        LIMIT("max-config", config, COUNT_MAX),
        LIMIT("max-steps", steps, COUNT_MAX),
        LIMIT("max-entries", entries, MSG_ENTRIES_MAX),
        LIMIT("max-initrds", initrds, MSG_INITRDS_MAX),
        LIMIT("max-names", names, COUNT_MAX),
        LIMIT("max-value", value, COUNT_MAX),
};

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
			int rc = keys[i].set(&keys[i], o, value, err);

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

/* ---- the table -------------------------------------------------------------- */

/* An empty one is ignored, as by pygrub. */
static int kernel_option(const struct option_row *row, void *to, const char *text, struct err *err)
{
	struct options *o = to;

	free(take(&o->kernel));
	o->kernel = *text ? xstrdup(text) : NULL;
	return 0;
}

static int offset_option(const struct option_row *row, void *to, const char *text, struct err *err)
{
	struct options *o = to;

	o->has_offset = true;
	if (str_u64(str_from(text), 10, INT64_MAX, &o->offset))
		return 0;
	return err_set(err, ERR_USAGE, "need a number of bytes, got \"%s\"", text);
}

static int runas_option(const struct option_row *row, void *to, const char *text, struct err *err)
{
	((struct options *)to)->uid_asked = true;
	return set_uid(row, to, text, err);
}

#define TRUE(long_name, letter, text, field)                                                       \
	{.name = (long_name), letter, NULL, text, option_true, AT(field)}
#define TEXT(long_name, argument, text, field)                                                     \
	{.name = (long_name), 0, argument, text, own_text, AT(field)}

static const struct option_row rows[] = {
        TRUE("quiet", 'q', "show no menu", quiet),
        {.name = "interactive",
         'i',
         NULL,
         "show the menu on a terminal (default)",
         option_false,
         AT(quiet)},
        TRUE("list-entries", 'l', "print the menu's entries and exit", list),
        TRUE("json", 0, "with -l: as JSON", json),
        TRUE("not-really", 'n', "do not copy kernel and ramdisk", not_really),
        TEXT("entry", "ENTRY", "boot this entry (number, title, id or a>b)\nand show no menu",
             entry),
        {.name = "kernel",
         0,
         "PATH",
         "boot this kernel of the guest, without a menu",
         kernel_option},
        TEXT("ramdisk", "PATH", "with --kernel: its ramdisk", ramdisk),
        TEXT("args", "TEXT", "additional kernel arguments", args),
        {.name = "disk", 0, "PATH", "another disk of the guest; may repeat", add_disk},
        {.name = "offset", 0, "BYTES", "where the file system starts on DISK", offset_option},
        TEXT("output", "FILE", "write the answer to FILE (-: standard output)", output),
        {.name = "output-format",
         0,
         "sxp|simple|simple0",
         "format of the answer (default: sxp)",
         set_format},
        {.name = "output-directory", 0, "DIR", "write kernel and ramdisk to DIR", set_directory},
        {.name = "runas", 0, "UID", "user ID of the jail that reads the disk", runas_option},
        TRUE("write-env", 0, "clear next_entry and count tries on the disk", write_env),
        TRUE("isconfig", 0, "DISK is a menu file", is_config),
        TEXT(OPTION_CONFIG, "FILE", "read FILE instead of /etc/domgrub.conf", config),
        TRUE("debug", 0, "print debug messages", debug),
        /* pygrub's abbreviation, next to --disk */
        TRUE("d", 0, NULL, debug),
        TRUE("help", 'h', "print this help", help),
        TRUE("version", 0, "print the version", version),
};
static const struct option_group group = OPTION_GROUP(rows, 0);
static const struct option_set set = {
        .program = "domgrub",
        .intro = "usage: domgrub [OPTION…] DISK\n"
                 "Reads the boot menu on a Xen guest's disk and hands its kernel to xl.\n\n",
        .groups = &group,
        .n_groups = 1,
        .column = 27,
        .equals = true,
};

void options_usage(struct buf *out)
{
	options_help(&set, out);
}

/* ---- parsing ---------------------------------------------------------------- */

static int set_one(const struct option_given *g, struct options *o, struct err *err)
{
	return options_set(g, o, err) < 0 ? err_prefix(err, "--%s", g->row->name) : 0;
}

/* The configuration file first, which --config names; options override it. */
static int set_all(struct options *o, const struct option_given *given, size_t n, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		if (strcmp(given[i].row->name, OPTION_CONFIG) == 0)
			set_text(&o->config, given[i].text);
	rc = config_read(o, err);
	environment_read(o);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = set_one(&given[i], o, err);
	return rc;
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
	_free_ struct option_given *given = NULL;
	size_t n = 0;
	int rc = options_find(&set, argc, argv, &given, &n, err);

	if (rc == 0)
		rc = set_all(&o, given, n, err);
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
