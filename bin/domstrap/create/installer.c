/* SPDX-License-Identifier: MIT */
#include "create/installer.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "base/show.h"
#include "host/busy.h"
#include "command.h"
#include "disk/iso.h"
#include "create/identity.h"
#include "ui/json_out.h"

#define MODE_FILE 0644

/* Files that get their names, in this order. */
enum {
	FILE_BOOT,
	FILE_ROOT,
	FILE_CFG,
	FILE_INSTALL,
	FILES,
};

static const char *const suffixes[FILES] = {"-boot.img", "-root.img", ".cfg", "-install.cfg"};
static const char *const roles[INSTALLER_DISKS] = {"boot", "root"};
static const char *const vdevs[INSTALLER_DISKS] = {"xvda", "xvdb"};
/* Warn of sizes that are smaller than NixOS needs. */
static const uint64_t wanted[INSTALLER_DISKS] = {500ull << 20, 5ull << 30};

struct installer {
	struct installer_options opt;
	char *dir, *iso_path;         /* absolute */
	char *disks[INSTALLER_DISKS]; /* absolute */
	uint64_t sizes[INSTALLER_DISKS];
	bool devices[INSTALLER_DISKS];
	struct iso iso;
	char uuid[37], mac[18];
	struct outfile files[FILES];
};

static char *file_name(const struct installer *in, int i)
{
	return xasprintf("%s%s", in->opt.name, suffixes[i]);
}

static char *file_path(const struct installer *in, int i)
{
	return xasprintf("%s/%s%s", in->dir, in->opt.name, suffixes[i]);
}

/* A disk that exists is not created. */
static bool is_made(const struct installer *in, int i)
{
	return i >= INSTALLER_DISKS || !in->opt.disks[i];
}

/* ---- what is there -------------------------------------------------------- */

/* A name with a newline would become two lines of the config. */
static int absolute(const char *option, const char *path, char **out, struct err *err)
{
	char shown[SHOW_SIZE];

	*out = realpath(path, NULL);
	if (!*out)
		return err_sys(err, errno, "%s %s", option, path);
	for (const char *p = *out; *p; p++)
		if ((unsigned char)*p < 0x20)
			return err_set(err, ERR_USAGE,
			               "%s %s: this path has a control character and cannot be "
			               "written in an xl config",
			               option, show_str(str_from(path), shown));
	return 0;
}

/* The size of a file or device. *device: whether it is a device. */
static int open_one(const char *path, int *fd, uint64_t *size, bool *device, struct err *err)
{
	struct stat st;
	off_t end;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*fd < 0 || fstat(*fd, &st) < 0)
		return err_sys(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(err, ERR_USAGE, "%s: neither a file nor a block device", path);
	end = lseek(*fd, 0, SEEK_END);
	if (end < 0)
		return err_sys(err, errno, "%s: cannot read its size", path);
	*size = (uint64_t)end;
	*device = S_ISBLK(st.st_mode);
	return 0;
}

static int look_at_iso(struct installer *in, struct err *err)
{
	struct source_fd src;
	_close_ int fd = -1;
	struct window w;
	uint64_t size;
	bool device;
	int rc = absolute("--iso", in->opt.iso, &in->iso_path, err);

	if (rc == 0)
		rc = open_one(in->iso_path, &fd, &size, &device, err);
	if (rc < 0)
		return rc;
	source_fd_init(&src, fd, in->iso_path);
	w = window_over(&src.src, size, in->iso_path);
	rc = iso_read(&w, &in->iso, err);
	if (rc == 0 && !in->iso.bios)
		rc = err_set(
		        err, ERR_UNSUPPORTED,
		        "%s: SeaBIOS cannot boot this CD: it has no El Torito entry for x86 PCs",
		        in->iso_path);
	return rc;
}

static int look_at_disk(struct installer *in, int i, struct err *err)
{
	_free_ char *option = xasprintf("--%s-disk", roles[i]);
	char *paths[1], size[16], least[16];
	_close_ int fd = -1;
	int rc;

	in->sizes[i] = in->opt.sizes[i];
	if (is_made(in, i)) {
		in->disks[i] = file_path(in, i);
		rc = 0;
	} else {
		rc = absolute(option, in->opt.disks[i], &in->disks[i], err);
		if (rc == 0)
			rc = open_one(in->disks[i], &fd, &in->sizes[i], &in->devices[i], err);
		paths[0] = in->disks[i];
		if (rc == 0)
			rc = busy_check(paths, 1, err);
	}
	if (rc == 0 && in->sizes[i] < wanted[i])
		ui_warn("%s: only %s; NixOS needs %s", in->disks[i], str_human(in->sizes[i], size),
		        str_human(wanted[i], least));
	return rc;
}

static int look(struct installer *in, struct err *err)
{
	int rc = absolute("--output", in->opt.output, &in->dir, err);

	if (rc == 0)
		rc = look_at_iso(in, err);
	for (int i = 0; i < INSTALLER_DISKS && rc == 0; i++)
		rc = look_at_disk(in, i, err);
	if (rc == 0 && !strcmp(in->disks[INSTALLER_BOOT], in->disks[INSTALLER_ROOT]))
		rc = err_set(err, ERR_USAGE,
		             "%s: the same disk for /boot and the root; --boot-disk and "
		             "--root-disk must differ",
		             in->disks[INSTALLER_ROOT]);
	for (int i = 0; i < FILES && rc == 0; i++) {
		_free_ char *name = file_name(in, i);

		if (is_made(in, i))
			rc = outfile_check(in->dir, name, in->opt.force, err);
	}
	guest_derive_domain(in->opt.name, in->uuid, in->mac);
	return rc;
}

/* ---- what is made --------------------------------------------------------- */

static void format_config(const struct installer *in, int file, struct buf *out)
{
	const struct installer_options *o = &in->opt;
	_free_ char *vif = xasprintf("mac=%s", in->mac), *path = file_path(in, file);
	const char *one_vif[] = {vif};
	bool install = file == FILE_INSTALL;
	struct xl_disk disks[INSTALLER_DISKS];
	struct xlcfg cfg = {
	        .name = o->name,
	        .file = path,
	        .uuid = in->uuid,
	        .bootloader = install                       ? NULL
	                      : o->boot == INSTALLER_PYGRUB ? "pygrub"
	                                                    : "domgrub",
	        .disks = disks,
	        .n_disks = INSTALLER_DISKS,
	        .cdrom = install ? in->iso_path : NULL,
	};

	domain_config(&o->domain, one_vif, &cfg);
	if (install)
		cfg.type = XL_HVM;
	for (int i = 0; i < INSTALLER_DISKS; i++)
		disks[i] = (struct xl_disk){.path = in->disks[i], .vdev = vdevs[i]};
	xlcfg_format(&cfg, out);
}

static int fill(struct installer *in, int i, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct outfile *o = &in->files[i];
	int rc;

	if (i < INSTALLER_DISKS) {
		if (ftruncate(o->fd, (off_t)in->sizes[i]) < 0)
			return err_sys(err, errno, "%s", o->path);
		return io_sync(o->fd, o->path, err);
	}
	format_config(in, i, &text);
	rc = io_write(o->fd, o->path, text.p, text.n, err);
	return rc < 0 ? rc : io_sync(o->fd, o->path, err);
}

/* Publish all files or none. */
static int publish(struct installer *in, struct err *err)
{
	int rc = 0, done = 0;

	for (; done < FILES && rc == 0; done++)
		if (in->files[done].fd >= 0)
			rc = outfile_publish(&in->files[done], in->opt.force, err);
	if (rc == 0)
		rc = outfile_sync_dir(&in->files[FILE_CFG], err);
	if (rc < 0 && !in->opt.force)
		while (done--)
			outfile_unpublish(&in->files[done]);
	return rc;
}

static int write_files(struct installer *in, struct err *err)
{
	int rc = 0;

	for (int i = 0; i < FILES && rc == 0; i++) {
		_free_ char *name = file_name(in, i);

		if (!is_made(in, i))
			continue;
		rc = outfile_open(&in->files[i], in->dir, name, MODE_FILE, err);
		if (rc == 0)
			rc = fill(in, i, err);
	}
	if (rc == 0 && ui_signal())
		rc = err_set(err, ERR_INTERRUPTED, "interrupted");
	return rc < 0 ? rc : publish(in, err);
}

/* ---- the report ----------------------------------------------------------- */

static json_t *disk_json(const struct installer *in, int i)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:b, s:I}", "role", roles[i], "path", in->disks[i],
	                 "vdev", vdevs[i], "device", in->devices[i], "made", is_made(in, i), "size",
	                 (json_int_t)in->sizes[i]);
}

static void report_json(const struct installer *in)
{
	_free_ char *cfg = file_path(in, FILE_CFG), *install = file_path(in, FILE_INSTALL);
	json_t *o = json_out_new(), *disks = json_array();

	for (int i = 0; i < INSTALLER_DISKS; i++)
		json_array_append_new(disks, disk_json(in, i));
	json_object_set_new(o, "dryRun", json_boolean(in->opt.dry_run));
	json_object_set_new(o, "name", json_string(in->opt.name));
	json_object_set_new(o, "iso",
	                    json_pack("{s:s, s:s}", "path", in->iso_path, "label", in->iso.label));
	json_object_set_new(o, "disks", disks);
	json_object_set_new(o, "installConfig", json_string(install));
	json_object_set_new(o, "config", json_string(cfg));
	json_out_print(o, stdout);
}

static void report(const struct installer *in)
{
	_free_ char *cfg = file_path(in, FILE_CFG), *install = file_path(in, FILE_INSTALL);

	if (in->opt.json) {
		report_json(in);
		return;
	}
	if (in->opt.level < UI_NORMAL)
		return;
	printf("%s ", in->opt.dry_run ? "would make" : "made");
	for (int i = 0; i < INSTALLER_DISKS; i++)
		if (is_made(in, i))
			printf("%s, ", in->disks[i]);
	printf("%s and %s; install with: xl create -c %s; then start it with: xl create -c %s\n",
	       install, cfg, install, cfg);
}

int cmd_installer(int argc, char **argv)
{
	struct installer in = {0};
	struct err err = ERR_INIT;
	int rc;

	for (int i = 0; i < FILES; i++)
		in.files[i] = (struct outfile)OUTFILE_INIT;
	ui_init(UI_NORMAL);
	rc = installer_options_parse(argc, argv, &in.opt, &err);
	if (rc)
		return rc < 0 ? command_failed(&err) : STATUS_DONE;
	ui_init(in.opt.level);
	ui_catch_signals();
	rc = look(&in, &err);
	if (rc == 0)
		ui_detail("%s: the CD %s", in.iso_path, in.iso.label);
	if (rc == 0 && !in.opt.dry_run)
		rc = write_files(&in, &err);
	if (rc == 0)
		report(&in);
	for (int i = 0; i < FILES; i++)
		outfile_fini(&in.files[i]);
	for (int i = 0; i < INSTALLER_DISKS; i++)
		free(in.disks[i]);
	free(in.dir);
	free(in.iso_path);
	return rc < 0 ? command_failed(&err) : STATUS_DONE;
}
