/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "create.h"
#include "ext4/ext4_finish.h"
#include "options.h"

#define BOOT_SIZE (512ull << 20)

static const char usage[] =
        "usage: domstrap create NAME --system PATH [options]\n"
        "       domstrap create NAME --config FILE | --file FILE | --flake REF [options]\n\n"
        "Makes NAME.img and NAME.cfg from a built NixOS system in a Nix store or a binary\n"
        "cache; or builds the system first, with Nix.\n\n"
        "the system:\n"
        "      --system PATH         a store path, its 32 digits, or a link to one\n" SOURCE_USAGE
        "      --configuration FILE  for the guest's /etc/nixos (default: what it is\n"
        "                            built from)\n"
        "      --channel URL[=NAME]  root's channel (default: that of the release)\n"
        "      --no-channel          no channel\n"
        "      --no-verify           do not compare NAR hashes while copying\n\n"
        "files beside the system:\n" EXTRA_USAGE "\n"
        "building the system first:\n"
        "      --config FILE         NixOS configuration, such as configuration.nix\n" NIX_USAGE
        "      --max-jobs N          number of parallel builds\n\n"
        "the disk:\n"
        "  -o, --output DIR          directory for the files (default: the current one)\n"
        "      --layout single|split\n"
        "                            split: /boot on a disk of its own\n"
        "      --disk DISK           write to a block device, or into an existing file,\n"
        "                            instead of NAME.img\n"
        "      --root-disk DISK      the same as --disk\n"
        "      --boot-disk DISK      the same for NAME-boot.img\n"
        "      --wipe                clear what the image does not fill on such a disk\n"
        "      --boot-size SIZE      of NAME-boot.img (default: 512M)\n"
        "  -s, --size SIZE           auto, 10G, or +2G for that much free (default: auto)\n"
        "      --label TEXT          of the file system (default: as the system expects)\n"
        "      --uuid UUID           of the file system (default: derived)\n"
        "      --reflink auto|always|never\n"
        "                            share blocks with the store (default: auto)\n\n";

/* Two strings: C guarantees string literals of up to 4095 bytes only. */
static const char usage_guest[] =
        "the guest:\n"
        "      --name NAME           of the domain (default: that of the files)\n"
        "      --type pv|pvh|auto    (default: auto on the Xen host, else pv)\n"
        "      --boot domgrub|pygrub|direct|grub\n"
        "                            how the guest boots (default: domgrub)\n"
        "      --grub-image FILE     for grub: GRUB's image for PVH guests (default: that\n"
        "                            of an installed package)\n"
        "      --fs-identifier uuid|label|provided\n"
        "                            how the menu names disks\n"
        "      --copy-kernels        copy the menu's kernels from the store to /boot\n"
        "      --kernel FILE         for direct: a kernel on the host\n"
        "      --initrd FILE         the initrd of that kernel\n"
        "  -m, --memory SIZE         MiB, or with a unit (default: 1024)\n"
        "      --vcpus N             (default: 1)\n"
        "      --vif SPEC            network card, as in xl.cfg(5); may repeat; or none\n"
        "      --set KEY=VALUE       another key of the xl config; may repeat\n\n"
        "this run:\n"
        "  -n, --dry-run             print what would be made, write nothing\n"
        "  -f, --force               replace existing files\n"
        "      --json                print what was made as JSON\n"
        "  -j, --threads N           threads to copy with\n"
        "  -q, --quiet               errors and warnings only\n"
        "  -v, --verbose             more messages\n"
        "  -h, --help                print this help\n";

enum {
	OPT_SYSTEM = 256,
	OPT_CONFIGURATION,
	OPT_CHANNEL,
	OPT_NO_CHANNEL,
	OPT_NO_VERIFY,
	OPT_WIPE,
	OPT_DISK,
	OPT_LAYOUT,
	OPT_BOOT_DISK,
	OPT_BOOT_SIZE,
	OPT_LABEL,
	OPT_UUID,
	OPT_REFLINK,
	OPT_NAME,
	OPT_BOOT,
	OPT_FS_IDENTIFIER,
	OPT_COPY_KERNELS,
	OPT_KERNEL,
	OPT_INITRD,
	OPT_GRUB_IMAGE,
	OPT_JSON,
};

#define OPTION_ROW(name, has_arg, value) {name, has_arg, NULL, value},

static const struct option long_options[] = {
        NIX_OPTION_ROWS(OPTION_ROW)
                EXTRA_OPTION_ROWS(OPTION_ROW){"system", required_argument, NULL, OPT_SYSTEM},
        SOURCE_OPTION_ROWS(OPTION_ROW) DOMAIN_OPTION_ROWS(OPTION_ROW){
                "configuration", required_argument, NULL, OPT_CONFIGURATION},
        {"channel", required_argument, NULL, OPT_CHANNEL},
        {"no-channel", no_argument, NULL, OPT_NO_CHANNEL},
        {"no-verify", no_argument, NULL, OPT_NO_VERIFY},
        {"wipe", no_argument, NULL, OPT_WIPE},
        {"output", required_argument, NULL, 'o'},
        {"layout", required_argument, NULL, OPT_LAYOUT},
        {"disk", required_argument, NULL, OPT_DISK},
        {"root-disk", required_argument, NULL, OPT_DISK},
        {"boot-disk", required_argument, NULL, OPT_BOOT_DISK},
        {"boot-size", required_argument, NULL, OPT_BOOT_SIZE},
        {"size", required_argument, NULL, 's'},
        {"label", required_argument, NULL, OPT_LABEL},
        {"uuid", required_argument, NULL, OPT_UUID},
        {"reflink", required_argument, NULL, OPT_REFLINK},
        {"name", required_argument, NULL, OPT_NAME},
        {"boot", required_argument, NULL, OPT_BOOT},
        {"fs-identifier", required_argument, NULL, OPT_FS_IDENTIFIER},
        {"copy-kernels", no_argument, NULL, OPT_COPY_KERNELS},
        {"kernel", required_argument, NULL, OPT_KERNEL},
        {"initrd", required_argument, NULL, OPT_INITRD},
        {"grub-image", required_argument, NULL, OPT_GRUB_IMAGE},
        {"dry-run", no_argument, NULL, 'n'},
        {"force", no_argument, NULL, 'f'},
        {"json", no_argument, NULL, OPT_JSON},
        {"threads", required_argument, NULL, 'j'},
        {"quiet", no_argument, NULL, 'q'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
};

static int size_option(const char *text, struct create_options *out, struct err *err)
{
	struct str s = str_from(text);

	if (str_is(s, "auto")) {
		out->size_kind = SIZE_AUTO;
		return 0;
	}
	out->size_kind = str_starts(s, "+") ? SIZE_FREE : SIZE_FIXED;
	if (out->size_kind == SIZE_FREE)
		s = str_drop(s, 1);
	if (!str_size(s, &out->size) || (out->size == 0 && out->size_kind == SIZE_FIXED))
		return err_set(
		        err, ERR_USAGE,
		        "--size '%s': expected auto, a size such as 10G, or free space such as +2G",
		        text);
	return 0;
}

static int boot_size_option(const char *text, struct create_options *out, struct err *err)
{
	if (!str_size(str_from(text), &out->boot_size) || out->boot_size < EXT4_MIN_BYTES)
		return err_set(err, ERR_USAGE,
		               "--boot-size '%s': expected a size of at least %lluM, such as 512M",
		               text, EXT4_MIN_BYTES >> 20);
	return 0;
}

static int label_option(const char *text, struct create_options *out, struct err *err)
{
	if (strlen(text) > EXT4_LABEL_MAX || !*text)
		return err_set(err, ERR_USAGE, "--label '%s': expected 1 to %d bytes", text,
		               EXT4_LABEL_MAX);
	out->label = text;
	return 0;
}

/* The options that say what the guest is. */
static int guest_option(int c, const char *arg, struct create_options *out, struct err *err)
{
	static const char *const layouts[] = {"single", "split"};
	static const char *const boots[] = {"domgrub", "pygrub", "direct", "grub"};
	static const char *const identifiers[] = {"uuid", "label", "provided"};
	static const char *const clones[] = {"auto", "always", "never"};
	unsigned n;
	int rc;

	switch (c) {
	case OPT_BOOT:
		rc = option_word("boot", arg, boots, ARRAY_LEN(boots), &n, err);
		out->boot = rc < 0 ? out->boot : (enum boot_mode)n;
		return rc;
	case OPT_LAYOUT:
		rc = option_word("layout", arg, layouts, ARRAY_LEN(layouts), &n, err);
		out->layout = rc < 0 ? out->layout : (enum layout)n;
		return rc;
	case OPT_FS_IDENTIFIER:
		rc = option_word("fs-identifier", arg, identifiers, ARRAY_LEN(identifiers), &n,
		                 err);
		out->fs_identifier = rc < 0 ? out->fs_identifier : (enum grub_identifier)n;
		out->fs_identifier_given = true;
		return rc;
	case OPT_REFLINK:
		rc = option_word("reflink", arg, clones, ARRAY_LEN(clones), &n, err);
		out->clone = rc < 0 ? out->clone : (enum clone_mode)n;
		return rc;
	case OPT_NAME:
		out->domain_name = arg;
		return xlcfg_name_check(arg, err);
	case OPT_LABEL:
		return label_option(arg, out, err);
	case 's':
		return size_option(arg, out, err);
	case OPT_BOOT_SIZE:
		return boot_size_option(arg, out, err);
	case 'j':
		return option_count("threads", arg, 16, &out->threads, err);
	default:
		return err_set(err, ERR_USAGE, "option %d is not handled", c);
	}
}

/* Options whose argument is stored unchanged; false: not one of them. */
static bool plain_option(int c, const char *arg, struct create_options *out)
{
	const struct {
		int option;
		const char **text;
	} texts[] = {
	        {OPT_SYSTEM, &out->system},
	        {OPT_CHANNEL, &out->channel},
	        {OPT_CONFIGURATION, &out->configuration},
	        {'o', &out->output},
	        {OPT_DISK, &out->disk},
	        {OPT_BOOT_DISK, &out->boot_disk},
	        {OPT_UUID, &out->uuid},
	        {OPT_KERNEL, &out->kernel},
	        {OPT_INITRD, &out->initrd},
	        {OPT_GRUB_IMAGE, &out->grub_image},
	};
	const struct {
		int option;
		bool *flag;
		bool value;
	} flags[] = {
	        {OPT_NO_CHANNEL, &out->no_channel, true},
	        {OPT_NO_VERIFY, &out->verify, false},
	        {OPT_WIPE, &out->wipe, true},
	        {OPT_COPY_KERNELS, &out->copy_kernels, true},
	        {'n', &out->dry_run, true},
	        {'f', &out->force, true},
	        {OPT_JSON, &out->json, true},
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].option == c) {
			*texts[i].text = arg;
			return true;
		}
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (flags[i].option == c) {
			*flags[i].flag = flags[i].value;
			return true;
		}
	if (c == 'q')
		out->level = UI_QUIET;
	if (c == 'v')
		out->level = UI_VERBOSE;
	return c == 'q' || c == 'v';
}

/* extra= and root= are for kernels that get no command line from a boot menu. */
static int check_set(const struct create_options *o, struct err *err)
{
	for (size_t i = 0; i < o->domain.set.n; i++) {
		struct str value = str_from(o->domain.set.items[i]), key = str_cut(&value, '=');

		if (!str_is(key, "extra") && !str_is(key, "root"))
			continue;
		if (o->boot == BOOT_DIRECT)
			return err_set(err, ERR_USAGE,
			               "--set %.*s: xl ignores it beside cmdline=, which --boot "
			               "direct writes",
			               STR_ARG(key));
		if (o->boot == BOOT_GRUB)
			return err_set(
			        err, ERR_USAGE,
			        "--set %.*s: no effect with --boot grub, where the guest's boot "
			        "menu sets the kernel command line; use boot.kernelParams",
			        STR_ARG(key));
	}
	return 0;
}

static int check_grub(const struct create_options *o, struct err *err)
{
	if (o->grub_image && o->boot != BOOT_GRUB)
		return err_set(err, ERR_USAGE, "--grub-image requires --boot grub");
	if (o->boot == BOOT_GRUB && o->domain.type_given && !o->domain.type_auto &&
	    o->domain.type == XL_PV)
		return err_set(err, ERR_USAGE,
		               "--boot grub: PVH guests only (--type pvh): GRUB's image for PV "
		               "guests cannot unpack a kernel compressed with LZ4 or zstd; for a "
		               "PV guest use --boot domgrub");
	return check_set(o, err);
}

static int check_together(struct create_options *o, struct err *err)
{
	bool split = o->layout == LAYOUT_SPLIT;

	if (!split && (o->boot_disk || o->boot_size))
		return err_set(err, ERR_USAGE,
		               "--boot-disk and --boot-size require --layout split");
	if (!o->boot_size)
		o->boot_size = BOOT_SIZE;
	/* pygrub fails on a menu that has "search" commands. */
	if (!o->fs_identifier_given && (o->boot == BOOT_PYGRUB || split))
		o->fs_identifier = GRUB_PROVIDED;
	if (o->boot == BOOT_PYGRUB && o->fs_identifier != GRUB_PROVIDED)
		return err_set(err, ERR_USAGE,
		               "--boot pygrub requires --fs-identifier provided: pygrub cannot "
		               "read a menu that searches for its disks");
	if (o->kernel && o->boot != BOOT_DIRECT)
		return err_set(err, ERR_USAGE, "--kernel requires --boot direct");
	if (check_grub(o, err) < 0)
		return -(int)err->code;
	if (!o->system && !nix_wanted(&o->nix))
		return err_set(err, ERR_USAGE,
		               "specify --system with a built NixOS system, such as ./result, or "
		               "--config, --file or --flake to build one");
	if (o->disk && o->size_kind != SIZE_AUTO)
		return err_set(err, ERR_USAGE,
		               "--size: %s exists and keeps its size; resize it first", o->disk);
	if (o->wipe && !o->disk && !o->boot_disk)
		return err_set(
		        err, ERR_USAGE,
		        "--wipe requires --disk or --boot-disk; a new image file has no old data");
	if (o->no_channel && o->channel)
		return err_set(err, ERR_USAGE, "--channel and --no-channel are mutually exclusive");
	if (domain_options_check(&o->domain, err) < 0)
		return -(int)err->code;
	if (o->initrd && !o->kernel)
		return err_set(err, ERR_USAGE, "--initrd requires --kernel");
	if (xlcfg_name_check(o->name, err) < 0)
		return -(int)err->code;
	return nix_options_check(&o->nix, o->system, o->source.from.n > 0, err);
}

int create_options_parse(int argc, char **argv, struct create_options *out, struct err *err)
{
	int c, rc;

	*out = (struct create_options){
	        .output = ".",
	        .domain = {.memory = 1024, .vcpus = 1},
	        .verify = true,
	        .threads = pool_threads(),
	};
	option_begin();
	while ((rc = option_next(argc, argv, "o:s:m:nfj:Lqvh", long_options, &c, err)) == 0) {
		if (c == 'h') {
			fputs(usage, stdout);
			fputs(usage_guest, stdout);
			return 1;
		}
		if (plain_option(c, optarg, out))
			continue;
		rc = source_option(c, optarg, &out->source, err);
		if (rc == 1)
			rc = nix_option(c, optarg, argc, argv, &out->nix, err);
		if (rc == 1)
			rc = extra_option(c, optarg, &out->extra, err);
		if (rc == 1)
			rc = domain_option(c, optarg, &out->domain, err);
		if (rc == 1)
			rc = guest_option(c, optarg, out, err);
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	out->source.dry_run = out->dry_run;
	if (optind == argc)
		return err_set(err, ERR_USAGE,
		               "missing NAME of the guest; see \"domstrap create --help\"");
	out->name = argv[optind++];
	if (optind < argc)
		return err_set(err, ERR_USAGE, "unexpected argument \"%s\": one NAME is expected",
		               argv[optind]);
	return check_together(out, err);
}
