/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "create/installer.h"
#include "ui/rows.h"

#define MEMORY_MIB 2048u /* memory in which the installer works */
#define BOOT_SIZE (512ull << 20)
#define BOOT_SIZE_MIN (64ull << 20)
#define ROOT_SIZE (10ull << 30)
#define ROOT_SIZE_MIN (1ull << 30)
#define SIZE_MAX_BYTES (64ull << 40)

static int size_option(const struct option_row *row, void *to, const char *text, struct err *err)
{
	bool root = row->letter == 's';
	uint64_t min = root ? ROOT_SIZE_MIN : BOOT_SIZE_MIN, v;
	char least[16];

	if (!str_size(str_from(text), &v) || v < min || v > SIZE_MAX_BYTES)
		return err_set(err, ERR_USAGE,
		               "--%s '%s': expected a size from %s to 64T, such as 10G", row->name,
		               text, str_human(min, least));
	((struct installer_options *)to)->sizes[root ? INSTALLER_ROOT : INSTALLER_BOOT] = v;
	return 0;
}

static const char *const boots[] = {"domgrub", "pygrub", NULL};
/* There is no kernel yet by which "auto" could choose. */
static const char *const types[] = {"pv", "pvh", NULL};

#define AT(field) offsetof(struct installer_options, field)
#define TEXT(long_name, argument, text, field)                                                     \
	ROW_TEXT(long_name, argument, text, struct installer_options, field)

static const struct option_row rows[] = {
        TEXT("iso", "FILE", "image of the installation CD", iso),
        TEXT("boot-disk", "DISK", "a block device or an image for /boot", disks[INSTALLER_BOOT]),
        TEXT("root-disk", "DISK", "the same for the root", disks[INSTALLER_ROOT]),
        {.name = "boot-size", 0, "SIZE", "of a new image for /boot (default: 512M)", size_option},
        {.name = "size", 's', "SIZE", "of a new image for the root (default: 10G)", size_option},
        {.name = "output",
         'o',
         "DIR",
         "directory for the files (default: the current one)",
         option_text,
         AT(output)},
        {.name = "boot",
         0,
         "HOW",
         "in NAME.cfg: domgrub or pygrub (default: domgrub)",
         option_word,
         AT(boot),
         .words = boots},
        {.name = "type",
         0,
         "TYPE",
         "in NAME.cfg: pv or pvh (default: pv)",
         option_type,
         AT(domain),
         .words = types},
        ROW_MEMORY("2048", struct installer_options, domain.memory),
        ROW_VCPUS(struct installer_options, domain.vcpus),
};
static const struct option_row run_rows[] = {
        ROW_DRY_RUN(struct installer_options, dry_run, "print what would be made, write nothing"),
        ROW_FORCE(struct installer_options, force),
        ROW_TRUE("json", "print what was made as JSON", struct installer_options, json),
        ROW_QUIET(struct installer_options, level),
        ROW_VERBOSE(struct installer_options, level, "more messages"),
        ROW_HELP,
};
static const struct option_group groups[] = {
        OPTION_GROUP(rows, 0),
        OPTION_GROUP(domain_rows, AT(domain)),
        OPTION_GROUP(run_rows, 0),
};
static const struct option_set options = SET_OF_GROUPS(
        "installer",
        "usage: domstrap installer NAME --iso FILE [options]\n\n"
        "Writes two xl configs for the same two disks: NAME-install.cfg boots NixOS's\n"
        "installation CD, NAME.cfg the installed guest.\n\n",
        groups);

static int check_together(struct installer_options *o, struct err *err)
{
	static const char *const names[] = {"boot", "root"}, *const sizes[] = {"boot-size", "size"};
	static const uint64_t usual[] = {BOOT_SIZE, ROOT_SIZE};

	if (!o->iso)
		return err_set(err, ERR_USAGE,
		               "specify --iso with the image of NixOS's installation CD");
	for (int i = 0; i < INSTALLER_DISKS; i++) {
		if (o->disks[i] && o->sizes[i])
			return err_set(err, ERR_USAGE,
			               "--%s applies to a new image; --%s-disk %s exists and keeps "
			               "its size",
			               sizes[i], names[i], o->disks[i]);
		if (!o->disks[i] && !o->sizes[i])
			o->sizes[i] = usual[i];
	}
	if (domain_options_check(&o->domain, err) < 0)
		return -(int)err->code;
	return xlcfg_name_check(o->name, err);
}

int installer_options_parse(int argc, char **argv, struct installer_options *out, struct err *err)
{
	int rc;

	*out = (struct installer_options){.output = ".",
	                                  .domain = {.memory = MEMORY_MIB, .vcpus = 1}};
	rc = options_read(&options, argc, argv, out, err);
	if (rc)
		return rc;
	if (optind == argc)
		return err_set(err, ERR_USAGE,
		               "missing NAME of the guest; see \"domstrap installer --help\"");
	out->name = argv[optind++];
	if (optind < argc)
		return err_set(err, ERR_USAGE, "unexpected argument \"%s\": one NAME is expected",
		               argv[optind]);
	return check_together(out, err);
}
