/* SPDX-License-Identifier: MIT */
/* The output files of a new guest: existing files in their place, and writing them. */
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "host/busy.h"
#include "create/create_work.h"
#include "ext4/device.h"

#define MODE_FILE 0644
#define MODE_SECRET 0600

/* ---- what is in the way --------------------------------------------------- */

static const char *file_suffix(const struct creation *cr, int i)
{
	const struct guest *g = &cr->guest;
	bool copies = g->opt.boot == BOOT_DIRECT && !g->opt.kernel;

	switch (i) {
	case FILE_KERNEL:
		return !copies || !g->kernel ? NULL : ".kernel";
	case FILE_INITRD:
		return !copies || !g->initrd ? NULL : ".initrd";
	default:
		return ".cfg";
	}
}

/* O_EXCL shows that a device is not in use; for a file the kernel has no such answer. */
static int open_disk(struct target *t, char *path, const struct create_options *o, struct err *err)
{
	int rc = target_open_in_place(t, path, o->clone, err);

	if (rc == 0 && !t->is_device)
		rc = busy_check(&path, 1, err);
	if (rc == 0 && !o->force)
		rc = device_check_empty(t->fd, path, err);
	return rc;
}

/* A new file would be readable by its owner only. */
static void warn_of_readers(const struct target *t)
{
	struct stat st;

	if (fstat(t->fd, &st) == 0 && st.st_mode & (S_IRWXG | S_IRWXO))
		ui_warn("%s: will hold secrets, but has mode %03o; keep other users out with "
		        "\"chmod 600\"",
		        t->name, (unsigned)(st.st_mode & 0777));
}

static int check_target(struct creation *cr, size_t i, struct err *err)
{
	const struct guest *g = &cr->guest;
	struct guest_disk *d = &cr->guest.disks[i];
	struct target *t = &cr->disks[i].target;
	_free_ char *name = xasprintf("%s%s", g->opt.name, d->suffix);
	int rc;

	if (!d->device)
		return outfile_check(g->dir, name, g->opt.force, err);
	rc = open_disk(t, d->path, &g->opt, err);
	d->in_place = rc == 0 && !t->is_device;
	if (d->in_place && extra_is_secret(&cr->extra))
		warn_of_readers(t);
	return rc;
}

int create_check_targets(struct creation *cr, struct err *err)
{
	const struct guest *g = &cr->guest;
	int rc = 0;

	for (size_t i = 0; i < g->n_disks && rc == 0; i++)
		rc = check_target(cr, i, err);
	for (int i = 0; i < FILES && rc == 0; i++) {
		const char *suffix = file_suffix(cr, i);
		_free_ char *name = suffix ? xasprintf("%s%s", g->opt.name, suffix) : NULL;

		if (name)
			rc = outfile_check(g->dir, name, g->opt.force, err);
	}
	return rc;
}

static int check_device(const struct create_options *o, const char *path, struct err *err)
{
	struct target t = TARGET_INIT;
	_free_ char *copy = xstrdup(path);
	int rc = open_disk(&t, copy, o, err);

	target_fini(&t);
	return rc;
}

int create_check_way(const struct create_options *o, struct err *err)
{
	bool split = o->layout == LAYOUT_SPLIT, copies = o->boot == BOOT_DIRECT && !o->kernel;
	const char *const suffixes[] = {
	        ".cfg",
	        o->disk ? NULL
	        : split ? "-root.img"
	                : ".img",
	        split && !o->boot_disk ? "-boot.img" : NULL,
	        copies ? ".kernel" : NULL,
	        copies ? ".initrd" : NULL,
	};
	const char *const devices[] = {o->disk, o->boot_disk};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(suffixes) && rc == 0; i++) {
		_free_ char *name = suffixes[i] ? xasprintf("%s%s", o->name, suffixes[i]) : NULL;

		if (name)
			rc = outfile_check(o->output, name, o->force, err);
	}
	for (size_t i = 0; i < ARRAY_LEN(devices) && rc == 0; i++)
		if (devices[i])
			rc = check_device(o, devices[i], err);
	return rc;
}

/* ---- what is written ------------------------------------------------------ */

static int open_disk_file(struct creation *cr, struct disk_work *work, struct err *err)
{
	const struct guest *g = &cr->guest;
	_free_ char *name = xasprintf("%s%s", g->opt.name, work->disk->suffix);
	mode_t mode = extra_is_secret(&cr->extra) ? MODE_SECRET : MODE_FILE;
	int rc;

	if (work->disk->device)
		return 0;
	rc = outfile_open(&work->file, g->dir, name, mode, err);
	if (rc < 0)
		return rc;
	return target_from_file(&work->target, work->file.fd, work->disk->path, g->opt.clone, err);
}

int create_open_files(struct creation *cr, struct err *err)
{
	const struct guest *g = &cr->guest;
	int rc = 0;

	for (size_t i = 0; i < g->n_disks && rc == 0; i++)
		rc = open_disk_file(cr, &cr->disks[i], err);
	for (int i = 0; i < FILES && rc == 0; i++) {
		const char *suffix = file_suffix(cr, i);
		_free_ char *name = suffix ? xasprintf("%s%s", g->opt.name, suffix) : NULL;

		if (name)
			rc = outfile_open(&cr->files[i], g->dir, name, MODE_FILE, err);
	}
	return rc;
}

/* Copy a file of the store to one beside the image. */
static int copy_file(struct guest *g, const char *from, struct outfile *to, struct err *err)
{
	_close_ int fd = -1;
	char piece[65536];
	uint64_t size;
	size_t got;
	int rc = store_files_open(g->source.files, from, &fd, &size, err);

	if (rc < 0)
		return rc;
	if (ioctl(to->fd, FICLONE, fd) == 0)
		return io_sync(to->fd, to->path, err);
	do {
		rc = io_read(fd, from, piece, sizeof piece, &got, err);
		if (rc == 0)
			rc = io_write(to->fd, to->path, piece, got, err);
		if (rc < 0)
			return rc;
	} while (got == sizeof piece);
	return io_sync(to->fd, to->path, err);
}

int create_write_files(struct creation *cr, struct err *err)
{
	struct guest *g = &cr->guest;
	struct buf cfg = BUF_INIT;
	int rc = 0;

	if (cr->files[FILE_KERNEL].fd >= 0)
		rc = copy_file(g, g->system.kernel, &cr->files[FILE_KERNEL], err);
	if (rc == 0 && cr->files[FILE_INITRD].fd >= 0)
		rc = copy_file(g, g->system.initrd, &cr->files[FILE_INITRD], err);
	if (rc < 0)
		return rc;
	guest_config(g, &cfg);
	rc = io_write(cr->files[FILE_CFG].fd, cr->files[FILE_CFG].path, cfg.p, cfg.n, err);
	if (rc == 0)
		rc = io_sync(cr->files[FILE_CFG].fd, cr->files[FILE_CFG].path, err);
	buf_fini(&cfg);
	return rc;
}

/* All files are in one directory: publish them together, sync once. */
int create_publish(struct creation *cr, struct err *err)
{
	bool force = cr->guest.opt.force;
	struct outfile *all[FILES + GUEST_DISKS_MAX];
	size_t n = 0, done = 0;
	bool devices = false;
	int rc = 0;

	for (size_t i = 0; i < cr->guest.n_disks; i++) {
		all[n++] = &cr->disks[i].file;
		devices |= cr->guest.disks[i].device != NULL;
	}
	for (size_t i = 0; i < FILES; i++)
		all[n++] = &cr->files[i];
	/* The device is valid now, so its config must be there, too. */
	if (ui_signal() && !devices)
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	for (; done < n && rc == 0; done++)
		if (all[done]->fd >= 0)
			rc = outfile_publish(all[done], force, err);
	if (rc == 0)
		rc = outfile_sync_dir(&cr->files[FILE_CFG], err);
	if (rc < 0 && !force)
		while (done--)
			outfile_unpublish(all[done]);
	return rc;
}
