/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "create/create.h"
#include "ext4/ext4_finish.h"
#include "ui/rows.h"

#define BOOT_SIZE (512ull << 20)

static int size_option(const struct option_row *row, void *to, const char *text, struct err *err)
{
	struct create_options *out = to;
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

static int boot_size_option(const struct option_row *row, void *to, const char *text,
                            struct err *err)
{
	struct create_options *out = to;

	if (!str_size(str_from(text), &out->boot_size) || out->boot_size < EXT4_MIN_BYTES)
		return err_set(err, ERR_USAGE,
		               "--boot-size '%s': expected a size of at least %lluM, such as 512M",
		               text, EXT4_MIN_BYTES >> 20);
	return 0;
}

static int label_option(const struct option_row *row, void *to, const char *text, struct err *err)
{
	struct create_options *out = to;

	if (strlen(text) > EXT4_LABEL_MAX || !*text)
		return err_set(err, ERR_USAGE, "--label '%s': expected 1 to %d bytes", text,
		               EXT4_LABEL_MAX);
	out->label = text;
	return 0;
}

static int identifier_option(const struct option_row *row, void *to, const char *text,
                             struct err *err)
{
	((struct create_options *)to)->fs_identifier_given = true;
	return option_word(row, to, text, err);
}

/* ---- the table -------------------------------------------------------------- */

/* In the order of the enums that they set. */
static const char *const layouts[] = {"single", "split", NULL};
static const char *const clones[] = {"auto", "always", "never", NULL};
static const char *const types[] = {"pv", "pvh", "auto", NULL};
static const char *const boots[] = {"domgrub", "pygrub", "direct", "grub", NULL};
static const char *const identifiers[] = {"uuid", "label", "provided", NULL};

#define AT(field) offsetof(struct create_options, field)
#define TEXT(long_name, argument, text, field)                                                     \
	ROW_TEXT(long_name, argument, text, struct create_options, field)
#define TRUE(name, text, field) ROW_TRUE(name, text, struct create_options, field)
#define WORD(long_name, argument, text, field, list)                                               \
	{.name = (long_name), 0, argument, text, option_word, AT(field), .words = (list)}

static const struct option_row system_rows[] = {
        {.help = "the system:"},
        TEXT("system", "PATH", "a store path, its 32 digits, or a link to one", system),
};
static const struct option_row config_rows[] = {
        TEXT("configuration", "FILE",
             "for the guest's /etc/nixos (default: what it is\nbuilt from)", configuration),
        TEXT("channel", "URL[=NAME]", "root's channel (default: that of the release)", channel),
        TRUE("no-channel", "no channel", no_channel),
        {.name = "no-verify",
         0,
         NULL,
         "do not compare NAR hashes while copying",
         option_false,
         AT(verify)},
        ROW_HEADING("files beside the system:"),
};
static const struct option_row build_rows[] = {
        ROW_HEADING("building the system first:"),
        TEXT("config", "FILE", "NixOS configuration, such as configuration.nix", nix.config),
};
static const struct option_row disk_rows[] = {
        {.name = "max-jobs",
         0,
         "N",
         "number of parallel builds",
         option_max_jobs,
         AT(nix.max_jobs)},
        ROW_HEADING("the disk:"),
        {.name = "output",
         'o',
         "DIR",
         "directory for the files (default: the current one)",
         option_text,
         AT(output)},
        WORD("layout", "single|split", "split: /boot on a disk of its own", layout, layouts),
        TEXT("disk", "DISK",
             "write to a block device, or into an existing file,\ninstead of NAME.img", disk),
        TEXT("root-disk", "DISK", "the same as --disk", disk),
        TEXT("boot-disk", "DISK", "the same for NAME-boot.img", boot_disk),
        TRUE("wipe", "clear what the image does not fill on such a disk", wipe),
        {.name = "boot-size", 0, "SIZE", "of NAME-boot.img (default: 512M)", boot_size_option},
        {.name = "size",
         's',
         "SIZE",
         "auto, 10G, or +2G for that much free (default: auto)",
         size_option},
        {.name = "label",
         0,
         "TEXT",
         "of the file system (default: as the system expects)",
         label_option},
        TEXT("uuid", "UUID", "of the file system (default: derived)", uuid),
        WORD("reflink", "auto|always|never", "share blocks with the store (default: auto)", clone,
             clones),
};
static const struct option_row guest_rows[] = {
        ROW_HEADING("the guest:"),
        {.name = "name",
         0,
         "NAME",
         "of the domain (default: that of the files)",
         option_text,
         AT(domain_name),
         .check = xlcfg_name_check},
        {.name = "type",
         0,
         "pv|pvh|auto",
         "(default: auto on the Xen host, else pv)",
         option_type,
         AT(domain),
         .words = types},
        WORD("boot", "domgrub|pygrub|direct|grub", "how the guest boots (default: domgrub)", boot,
             boots),
        TEXT("grub-image", "FILE",
             "for grub: GRUB's image for PVH guests (default: that\nof an installed package)",
             grub_image),
        {.name = "fs-identifier",
         0,
         "uuid|label|provided",
         "how the menu names disks",
         identifier_option,
         AT(fs_identifier),
         .words = identifiers},
        TRUE("copy-kernels", "copy the menu's kernels from the store to /boot", copy_kernels),
        TEXT("kernel", "FILE", "for direct: a kernel on the host", kernel),
        TEXT("initrd", "FILE", "the initrd of that kernel", initrd),
        ROW_MEMORY("1024", struct create_options, domain.memory),
        ROW_VCPUS(struct create_options, domain.vcpus),
};
static const struct option_row host_heading[] = {
        ROW_HEADING("a name and addresses of its own, for a system that many guests share:"),
};

static const struct option_row run_rows[] = {
        ROW_HEADING("this run:"),
        ROW_DRY_RUN(struct create_options, dry_run, "print what would be made, write nothing"),
        ROW_FORCE(struct create_options, force),
        TRUE("json", "print what was made as JSON", json),
        {.name = "threads", 'j', "N", "threads to copy with", option_count, AT(threads), 16},
        ROW_QUIET(struct create_options, level),
        ROW_VERBOSE(struct create_options, level, "more messages"),
        ROW_HELP,
};
static const struct option_group groups[] = {
        OPTION_GROUP(system_rows, 0),
        OPTION_GROUP(source_rows, AT(source)),
        OPTION_GROUP(config_rows, 0),
        OPTION_GROUP(extra_rows, AT(extra)),
        OPTION_GROUP(host_heading, 0),
        OPTION_GROUP(host_rows, AT(host)),
        OPTION_GROUP(build_rows, 0),
        OPTION_GROUP(nix_rows, AT(nix)),
        OPTION_GROUP(disk_rows, 0),
        OPTION_GROUP(guest_rows, 0),
        OPTION_GROUP(domain_rows, AT(domain)),
        OPTION_GROUP(run_rows, 0),
};
static const struct option_set options = {
        .program = "domstrap create",
        .intro =
                "usage: domstrap create NAME --system PATH [options]\n"
                "       domstrap create NAME --config FILE | --file FILE | --flake REF "
                "[options]\n\n"
                "Makes NAME.img and NAME.cfg from a built NixOS system in a Nix store or a binary\n"
                "cache; or builds the system first, with Nix.\n\n",
        .groups = groups,
        .n_groups = ARRAY_LEN(groups),
        .column = HELP_COLUMN,
};

/* ---- options that require or exclude others --------------------------------- */

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
	if (o->domain.no_vif && o->host.ips.n)
		return err_set(err, ERR_USAGE, "--ip requires a network card, not --vif none");
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
	int rc;

	*out = (struct create_options){
	        .output = ".",
	        .domain = {.memory = 1024, .vcpus = 1},
	        .verify = true,
	        .threads = pool_threads(),
	};
	rc = options_read(&options, argc, argv, out, err);
	if (rc)
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
