/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "installer.h"
#include "options.h"

#define MEMORY_MIB 2048u /* memory in which the installer works */
#define BOOT_SIZE (512ull << 20)
#define BOOT_SIZE_MIN (64ull << 20)
#define ROOT_SIZE (10ull << 30)
#define ROOT_SIZE_MIN (1ull << 30)
#define SIZE_MAX_BYTES (64ull << 40)

static const char usage[] =
        "usage: domstrap installer NAME --iso FILE [options]\n\n"
        "Writes two xl configs for the same two disks: NAME-install.cfg boots NixOS's\n"
        "installation CD, NAME.cfg the installed guest.\n\n"
        "      --iso FILE            image of the installation CD\n"
        "      --boot-disk DISK      a block device or an image for /boot\n"
        "      --root-disk DISK      the same for the root\n"
        "      --boot-size SIZE      of a new image for /boot (default: 512M)\n"
        "  -s, --size SIZE           of a new image for the root (default: 10G)\n"
        "  -o, --output DIR          directory for the files (default: the current one)\n"
        "      --boot HOW            in NAME.cfg: domgrub or pygrub (default: domgrub)\n"
        "      --type TYPE           in NAME.cfg: pv or pvh (default: pv)\n"
        "  -m, --memory SIZE         MiB, or with a unit (default: 2048)\n"
        "      --vcpus N             (default: 1)\n"
        "      --vif SPEC            network card, as in xl.cfg(5); may repeat; or none\n"
        "      --set KEY=VALUE       another key of the xl configs; may repeat\n"
        "  -n, --dry-run             print what would be made, write nothing\n"
        "  -f, --force               replace existing files\n"
        "      --json                print what was made as JSON\n"
        "  -q, --quiet               errors and warnings only\n"
        "  -v, --verbose             more messages\n"
        "  -h, --help                print this help\n";

enum {
	OPT_ISO = 256,
	OPT_BOOT_DISK,
	OPT_ROOT_DISK,
	OPT_BOOT_SIZE,
	OPT_BOOT,
	OPT_JSON,
};

#define OPTION_ROW(name, has_arg, value) {name, has_arg, NULL, value},

static const struct option long_options[] = {
        {"iso", required_argument, NULL, OPT_ISO},
        {"boot-disk", required_argument, NULL, OPT_BOOT_DISK},
        {"root-disk", required_argument, NULL, OPT_ROOT_DISK},
        {"boot-size", required_argument, NULL, OPT_BOOT_SIZE},
        {"size", required_argument, NULL, 's'},
        {"output", required_argument, NULL, 'o'},
        {"boot", required_argument, NULL, OPT_BOOT},
        DOMAIN_OPTION_ROWS(OPTION_ROW){"dry-run", no_argument, NULL, 'n'},
        {"force", no_argument, NULL, 'f'},
        {"json", no_argument, NULL, OPT_JSON},
        {"quiet", no_argument, NULL, 'q'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
};

static int size_option(const char *option, const char *text, uint64_t min, uint64_t *out,
                       struct err *err)
{
	char least[16];
	uint64_t v;

	if (!str_size(str_from(text), &v) || v < min || v > SIZE_MAX_BYTES)
		return err_set(err, ERR_USAGE,
		               "--%s '%s': expected a size from %s to 64T, such as 10G", option,
		               text, str_human(min, least));
	*out = v;
	return 0;
}

static int one_option(int c, const char *arg, struct installer_options *out, struct err *err)
{
	static const char *const boots[] = {"domgrub", "pygrub"}, *const types[] = {"pv", "pvh"};
	unsigned n;
	int rc;

	switch (c) {
	case OPT_BOOT_SIZE:
		return size_option("boot-size", arg, BOOT_SIZE_MIN, &out->sizes[INSTALLER_BOOT],
		                   err);
	case 's':
		return size_option("size", arg, ROOT_SIZE_MIN, &out->sizes[INSTALLER_ROOT], err);
	case OPT_BOOT:
		rc = option_word("boot", arg, boots, ARRAY_LEN(boots), &n, err);
		out->pygrub = rc == 0 && n == 1;
		return rc;
	case OPT_DOMAIN_TYPE: /* there is no kernel yet by which "auto" could choose */
		rc = option_word("type", arg, types, ARRAY_LEN(types), &n, err);
		return rc < 0 ? rc : domain_option(c, arg, &out->domain, err);
	default:
		return domain_option(c, arg, &out->domain, err);
	}
}

/* Options whose argument is stored unchanged; false: not one of them. */
static bool plain_option(int c, const char *arg, struct installer_options *out)
{
	const struct {
		int option;
		const char **text;
	} texts[] = {
	        {OPT_ISO, &out->iso},
	        {OPT_BOOT_DISK, &out->disks[INSTALLER_BOOT]},
	        {OPT_ROOT_DISK, &out->disks[INSTALLER_ROOT]},
	        {'o', &out->output},
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].option == c) {
			*texts[i].text = arg;
			return true;
		}
	out->dry_run |= c == 'n';
	out->force |= c == 'f';
	out->json |= c == OPT_JSON;
	if (c == 'q')
		out->level = UI_QUIET;
	if (c == 'v')
		out->level = UI_VERBOSE;
	return c == 'n' || c == 'f' || c == OPT_JSON || c == 'q' || c == 'v';
}

static int check_together(struct installer_options *o, struct err *err)
{
	static const char *const options[] = {"boot", "root"}, *const sizes[] = {"boot-size",
	                                                                         "size"};
	static const uint64_t usual[] = {BOOT_SIZE, ROOT_SIZE};

	if (!o->iso)
		return err_set(err, ERR_USAGE,
		               "specify --iso with the image of NixOS's installation CD");
	for (int i = 0; i < INSTALLER_DISKS; i++) {
		if (o->disks[i] && o->sizes[i])
			return err_set(err, ERR_USAGE,
			               "--%s applies to a new image; --%s-disk %s exists and keeps "
			               "its size",
			               sizes[i], options[i], o->disks[i]);
		if (!o->disks[i] && !o->sizes[i])
			o->sizes[i] = usual[i];
	}
	if (domain_options_check(&o->domain, err) < 0)
		return -(int)err->code;
	return xlcfg_name_check(o->name, err);
}

int installer_options_parse(int argc, char **argv, struct installer_options *out, struct err *err)
{
	int c, rc;

	*out = (struct installer_options){.output = ".",
	                                  .domain = {.memory = MEMORY_MIB, .vcpus = 1}};
	option_begin();
	while ((rc = option_next(argc, argv, "o:s:m:nfqvh", long_options, &c, err)) == 0) {
		if (c == 'h') {
			fputs(usage, stdout);
			return 1;
		}
		rc = plain_option(c, optarg, out) ? 0 : one_option(c, optarg, out, err);
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
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
