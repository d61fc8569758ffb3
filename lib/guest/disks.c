/* SPDX-License-Identifier: MIT */
#include "guest/disks.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "disk/contents.h"
#include "disk/lvm.h"
#include "disk/md.h"
#include "disk/table.h"

#define EVENTS_BEHIND 1 /* that Linux forgives a half of a RAID1 */

enum opened {
	NOT_TRIED,
	NO_FS, /* unknown or damaged: trouble has the reason */
	HAS_FS,
};

struct device {
	char *name;
	char *alias[GRUB_ALIASES];
	size_t disk; /* SIZE_MAX: a logical volume, which may be on several */
	struct window w;
	struct md_array array; /* of which it is one half; else its uuid is empty */
	char part_uuid[64];
	enum opened opened;
	struct fs *fs;
	char *trouble; /* NULL: no file system */
	bool noticed;  /* fs_notice() was reported */
};

/* A disk's bytes, and the error of the first failed read. */
struct watched {
	struct source src;
	struct source *from;
	struct err fault;
};

struct disks {
	struct grub_files files; /* first: lib/grub has a pointer to it */
	const struct disk_spec *spec;
	struct source_fd *src;
	struct watched *watched;
	struct device *dev;
	size_t n, cap;
	struct lvm *lvm;
	size_t n_disks;
	struct grub_device *names;
};

static int size_get(int fd, const char *path, struct disk_spec *d, struct err *err)
{
	struct stat st;
	uint64_t size;
	int sector;

	d->sector = 512;
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "%s", path);
	if (S_ISREG(st.st_mode)) {
		d->size = (uint64_t)st.st_size;
		return 0;
	}
	if (!S_ISBLK(st.st_mode))
		return err_set(err, ERR_USAGE, "%s: neither a file nor a block device", path);
	if (ioctl(fd, BLKGETSIZE64, &size) < 0 || ioctl(fd, BLKSSZGET, &sector) < 0)
		return err_sys(err, errno, "%s: size", path);
	d->size = size;
	if (window_sector_valid((unsigned)sector))
		d->sector = (unsigned)sector;
	return 0;
}

int disk_spec_open(const char *path, struct disk_spec *out, struct err *err)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct disk_spec d = {.name = path};
	int rc;

	if (fd < 0)
		return err_sys(err, errno, "%s", path);
	rc = size_get(fd, path, &d, err);
	if (rc < 0)
		return rc;
	d.fd = fd;
	fd = -1;
	*out = d;
	return 0;
}

int disk_spec_lock(const struct disk_spec *d, unsigned wait_ms, struct err *err)
{
	int rc = io_lock(d->fd, d->name, false, wait_ms, err);

	return rc == -ERR_BUSY ? err_set(err, ERR_BUSY,
	                                 "%s: locked by another program, which is changing it; try "
	                                 "again later",
	                                 d->name)
	                       : rc;
}

/* Gives the device its name, which is ours from then on. */
static struct device *device_add(struct disks *d, size_t disk, const struct window *w, char *name)
{
	struct device *dev;

	GROW(d->dev, d->n, d->cap);
	dev = &d->dev[d->n++];
	*dev = (struct device){.disk = disk, .w = *w, .name = name};
	return dev;
}

static void note(struct buf *notes, const struct err *err)
{
	buf_puts(notes, err->text);
	buf_puts(notes, "\n");
}

/* A member of a RAID1 has its data, in place of all its bytes. */
static void mirror_look(struct device *dev, struct buf *notes)
{
	struct err err = ERR_INIT;

	if (md_mirror(&dev->w, &dev->w, &dev->array, &err) < 0)
		note(notes, &err);
}

static void partitions_add(struct disks *d, size_t disk, const struct window *w, struct buf *notes)
{
	struct err err = ERR_INIT;
	struct table t;

	if (table_read(w, &t, &err) < 0) {
		note(notes, &err);
		return;
	}
	for (size_t i = 0; i < t.n; i++) {
		const struct table_part *p = &t.part[i];
		struct window part;
		struct device *dev;

		if (table_window(&t, p, w, &part, &err) < 0) {
			note(notes, &err);
			continue;
		}
		dev = device_add(d, disk, &part,
		                 xasprintf("hd%zu,%s%u", disk,
		                           t.kind == TABLE_GPT ? "gpt" : "msdos", p->number));
		snprintf(dev->part_uuid, sizeof dev->part_uuid, "%s", p->uuid);
		mirror_look(dev, notes);
	}
	table_fini(&t);
}

static int watched_read(struct source *src, void *p, size_t n, uint64_t off, struct err *err)
{
	struct watched *w = (struct watched *)src;
	int rc = w->from->read(w->from, p, n, off, err);

	if (rc < 0 && !w->fault.code)
		w->fault = *err;
	return rc;
}

static void disk_add(struct disks *d, size_t i, struct buf *notes)
{
	const struct disk_spec *s = &d->spec[i];
	struct err err = ERR_INIT;
	struct window w;
	size_t n;

	source_fd_init(&d->src[i], s->fd, s->name);
	d->watched[i] = (struct watched){.src = {.read = watched_read},
	                                 .from = s->src ? s->src : &d->src[i].src};
	w = window_over(&d->watched[i].src, s->size, s->name);
	w.sector = s->sector;
	if (s->has_offset &&
	    window_sub(&w, s->offset, w.size - MIN(w.size, s->offset), &w, &err) < 0)
		note(notes, &err);
	device_add(d, i, &w, xasprintf("hd%zu", i));
	n = d->n;
	if (!s->has_offset)
		partitions_add(d, i, &w, notes);
	if (d->n == n)
		mirror_look(&d->dev[n - 1], notes);
}

/* ---- arrays and volumes --------------------------------------------------- */

static void no_fs(struct device *dev, char *trouble)
{
	dev->opened = NO_FS;
	dev->trouble = trouble;
}

/* The half of the array of "dev" that took part in most changes; of equal ones, the first. */
static const struct device *newest_half(const struct disks *d, const struct device *dev)
{
	const struct device *best = dev;

	for (size_t i = d->n; i-- > 0;)
		if (!strcmp(d->dev[i].array.uuid, dev->array.uuid) &&
		    d->dev[i].array.events >= best->array.events)
			best = &d->dev[i];
	return best;
}

/* An array has its names on its newest half; one that Linux would not take either is not read. */
static void arrays_name(struct disks *d)
{
	unsigned nameless = 0;

	for (size_t i = 0; i < d->n; i++) {
		struct device *dev = &d->dev[i];
		const struct device *best;

		if (!*dev->array.uuid)
			continue;
		best = newest_half(d, dev);
		if (best->array.events - dev->array.events > EVENTS_BEHIND)
			no_fs(dev, xasprintf("an old half of a RAID1, without the last changes, "
			                     "which (%s) has",
			                     best->name));
		if (best != dev)
			continue;
		dev->alias[0] = *dev->array.name ? xasprintf("md/%s", dev->array.name)
		                                 : xasprintf("md/md%u", nameless++);
		dev->alias[1] = xasprintf("mduuid/%s", dev->array.uuid);
	}
}

static void volumes_add(struct disks *d, struct buf *notes)
{
	_free_ struct window *w = xcalloc(d->n, sizeof *w);
	const struct lvm_volume *v;
	struct device *dev;
	size_t n = 0;

	/* What is old would name a volume's old places. */
	for (size_t i = 0; i < d->n; i++)
		w[i] = d->dev[i].opened == NO_FS ? (struct window){.name = ""} : d->dev[i].w;
	d->lvm = lvm_new(w, d->n, notes);
	for (; (v = lvm_volume(d->lvm, n)); n++) {
		dev = device_add(d, SIZE_MAX, &v->w, xasprintf("lvm/%s", v->name));
		dev->alias[0] = xasprintf("lvmid/%s", v->id);
		if (v->trouble)
			no_fs(dev, xstrdup(v->trouble));
	}
}

/* ---- file systems --------------------------------------------------------- */

/* Names unsupported contents: "LUKS2, which domgrub does not read"; NULL: not recognized. */
static char *what_is_there(const struct disks *d, size_t i)
{
	const char *name = contents_name(&d->dev[i].w), *group;

	if (lvm_is_physical(d->lvm, i, &group))
		return *group ? xasprintf("a physical volume of LVM2's group \"%s\"", group)
		              : xstrdup("a physical volume of LVM2, in no known group");
	return name ? xasprintf("%s, which domgrub does not read", name) : NULL;
}

/* The file system of a device. 0, or -ERR_NOENT if it has none. */
static int device_fs(struct disks *d, size_t i, struct fs **out, struct err *err)
{
	struct device *dev;

	if (i >= d->n)
		return err_set(err, ERR_NOENT, "no device %zu", i);
	dev = &d->dev[i];
	if (dev->opened == NOT_TRIED) {
		struct err why = ERR_INIT;
		int rc = fs_open(&dev->w, &dev->fs, &why);

		dev->opened = rc == 0 ? HAS_FS : NO_FS;
		if (rc < 0)
			dev->trouble = xstrdup(why.text);
		else if (rc > 0)
			dev->trouble = what_is_there(d, i);
	}
	if (dev->opened == NO_FS && dev->trouble)
		return err_set(err, ERR_NOENT, "(%s): %s", dev->name, dev->trouble);
	if (dev->opened == NO_FS)
		return err_set(err, ERR_NOENT, "(%s): no supported file system", dev->name);
	*out = dev->fs;
	return 0;
}

static int files_probe(struct grub_files *f, size_t dev, struct grub_probe *out, struct err *err)
{
	struct disks *d = (struct disks *)f;
	struct fs *fs;
	int rc = device_fs(d, dev, &fs, err);

	if (rc < 0)
		return rc;
	*out = (struct grub_probe){.fs = ""};
	snprintf(out->fs, sizeof out->fs, "%s", fs_family(fs));
	snprintf(out->label, sizeof out->label, "%s", fs_label(fs));
	snprintf(out->uuid, sizeof out->uuid, "%s", fs_uuid(fs));
	snprintf(out->part_uuid, sizeof out->part_uuid, "%s", d->dev[dev].part_uuid);
	return 0;
}

static int files_stat(struct grub_files *f, size_t dev, struct str path, struct grub_stat *out,
                      struct err *err)
{
	struct fs_stat st;
	struct fs *fs;
	int rc = device_fs((struct disks *)f, dev, &fs, err);

	if (rc == 0)
		rc = fs_stat(fs, path, true, &st, err);
	if (rc < 0)
		return rc;
	out->kind = st.kind == FS_FILE ? GRUB_FILE : st.kind == FS_DIR ? GRUB_DIR : GRUB_OTHER;
	out->size = st.size;
	out->mtime = st.mtime;
	return 0;
}

static int files_read(struct grub_files *f, size_t dev, struct str path, size_t limit,
                      struct buf *out, struct err *err)
{
	_cleanup_(fs_file_freep) struct fs_file *file = NULL;
	uint64_t size;
	size_t got;
	int rc = disks_open((struct disks *)f, dev, path, &file, err);

	if (rc < 0)
		return rc;
	size = fs_file_size(file);
	if (size > limit)
		return err_set(err, ERR_LIMIT, "%.*s: %llu bytes, larger than the limit of %zu",
		               STR_ARG(path), (unsigned long long)size, limit);
	return fs_file_read(file, buf_zeros(out, (size_t)size), (size_t)size, 0, &got, err);
}

static int files_piece(struct grub_files *f, const struct grub_at *at, void *p, size_t n,
                       struct err *err)
{
	_cleanup_(fs_file_freep) struct fs_file *file = NULL;
	size_t got = 0;
	int rc = disks_open((struct disks *)f, at->dev, at->path, &file, err);

	if (rc == 0)
		rc = fs_file_read(file, p, n, at->off, &got, err);
	if (rc == 0 && got != n)
		rc = err_set(err, ERR_FORMAT, "%.*s: ends at byte %llu", STR_ARG(at->path),
		             (unsigned long long)fs_file_size(file));
	return rc;
}

static int files_list(struct grub_files *f, size_t dev, struct str path, grub_name_fn *fn,
                      void *arg, struct err *err)
{
	struct fs *fs;
	int rc = device_fs((struct disks *)f, dev, &fs, err);

	return rc < 0 ? rc : fs_list(fs, path, fn, arg, err);
}

static const struct grub_files_ops ops = {
        .probe = files_probe,
        .stat = files_stat,
        .read = files_read,
        .piece = files_piece,
        .list = files_list,
};

struct disks *disks_new(const struct disk_spec *spec, size_t n, struct buf *notes)
{
	struct disks *d = xcalloc(1, sizeof *d);

	d->spec = spec;
	d->src = xcalloc(n, sizeof *d->src);
	d->watched = xcalloc(n, sizeof *d->watched);
	d->n_disks = n;
	for (size_t i = 0; i < n; i++)
		disk_add(d, i, notes);
	arrays_name(d);
	volumes_add(d, notes);
	d->names = xcalloc(d->n, sizeof *d->names);
	for (size_t i = 0; i < d->n; i++) {
		d->names[i].name = d->dev[i].name;
		for (size_t k = 0; k < GRUB_ALIASES; k++)
			d->names[i].alias[k] = d->dev[i].alias[k];
	}
	d->files = (struct grub_files){.ops = &ops, .devices = d->names, .device_count = d->n};
	return d;
}

void disks_free(struct disks *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n; i++) {
		fs_free(d->dev[i].fs);
		free(d->dev[i].trouble);
		free(d->dev[i].name);
		for (size_t k = 0; k < GRUB_ALIASES; k++)
			free(d->dev[i].alias[k]);
	}
	lvm_free(d->lvm);
	free(d->dev);
	free(d->names);
	free(d->src);
	free(d->watched);
	free(d);
}

struct grub_files *disks_files(struct disks *d)
{
	return &d->files;
}

size_t disks_index(const struct disks *d, size_t dev)
{
	return dev < d->n ? d->dev[dev].disk : SIZE_MAX;
}

int disks_fault(const struct disks *d, struct err *err)
{
	for (size_t i = 0; i < d->n_disks; i++) {
		if (!d->watched[i].fault.code)
			continue;
		*err = d->watched[i].fault;
		return -(int)err->code;
	}
	return 0;
}

int disks_fs(struct disks *d, size_t dev, struct fs **out, struct err *err)
{
	return device_fs(d, dev, out, err);
}

const struct window *disks_window(const struct disks *d, size_t dev)
{
	return &d->dev[dev].w;
}

int disks_open(struct disks *d, size_t dev, struct str path, struct fs_file **out, struct err *err)
{
	struct fs *fs;
	int rc = device_fs(d, dev, &fs, err);

	return rc < 0 ? rc : fs_file_open(fs, path, out, err);
}

void disks_notices(struct disks *d, struct buf *lines)
{
	for (size_t i = 0; i < d->n; i++) {
		struct device *dev = &d->dev[i];

		if (dev->opened != HAS_FS || dev->noticed || !*fs_notice(dev->fs))
			continue;
		dev->noticed = true;
		buf_putf(lines, "(%s): %s\n", dev->name, fs_notice(dev->fs));
	}
}

void disks_name(const struct disks *d, size_t dev, const char *path, struct buf *out)
{
	buf_putf(out, "(%s)%s", dev < d->n ? d->dev[dev].name : "?", path);
}
