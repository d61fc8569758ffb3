/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/device.h"

#include <stdio.h>
#include <string.h>

#define DISK_MAX 255
#define PART_MAX 1023

struct spec {
	struct str vdev; /* p NULL: "disk" says it */
	unsigned disk;
	struct str scheme; /* empty: any */
	unsigned part;     /* 0: the whole disk */
};

static bool parse_part(struct str part, unsigned first, struct spec *out)
{
	uint64_t v;
	size_t n = 0;

	while (n < part.n && (part.p[n] < '0' || part.p[n] > '9'))
		n++;
	out->scheme = (struct str){part.p, n};
	if (n && !str_is(out->scheme, "msdos") && !str_is(out->scheme, "gpt"))
		return false;
	if (!str_u64(str_drop(part, n), 10, PART_MAX, &v) || v < first)
		return false;
	out->part = (unsigned)v + 1 - first;
	return true;
}

static bool parse_spec(struct str name, unsigned first, struct spec *out)
{
	struct str part = name, disk = str_cut(&part, ',');
	uint64_t v = 0;

	*out = (struct spec){.disk = DISK_MAX + 1};
	if (str_starts(disk, "xen/"))
		out->vdev = str_drop(disk, 4);
	else if (str_starts(disk, "hd") && str_u64(str_drop(disk, 2), 10, DISK_MAX, &v))
		out->disk = (unsigned)v;
	else
		return false;
	return !part.p || parse_part(part, first, out);
}

static bool vdev_matches(const struct grub_device *d, unsigned disk, struct str vdev)
{
	char by_number[5] = "xvda";

	if (d->vdev)
		return str_is(vdev, d->vdev);
	by_number[3] = (char)('a' + disk);
	return disk < 26 && str_is(vdev, by_number);
}

/* Is it the disk that is wanted, or one of its partitions? */
static bool same_disk(const struct grub_device *d, const struct spec *have, const struct spec *want)
{
	return want->vdev.p ? vdev_matches(d, have->disk, want->vdev) : want->disk == have->disk;
}

static bool matches(const struct grub_device *d, const struct spec *want)
{
	struct spec have;

	if (!parse_spec(str_from(d->name), 1, &have) || have.part != want->part)
		return false;
	if (want->scheme.n && !str_eq(want->scheme, have.scheme))
		return false;
	return same_disk(d, &have, want);
}

/*
 * A disk without partitions stands for each of its partitions: a guest whose
 * disk is called xvda1 has no table, yet its menu says (hd0,1) or (hd0,msdos1).
 */
static bool bare_disk(const struct grub_files *files, const struct spec *want, size_t *dev)
{
	bool found = false;

	for (size_t i = 0; i < files->device_count; i++) {
		struct spec have;

		if (!parse_spec(str_from(files->devices[i].name), 1, &have) ||
		    !same_disk(&files->devices[i], &have, want))
			continue;
		if (have.part)
			return false;
		found = true;
		*dev = i;
	}
	return found;
}

/* A volume's or an array's name, of which menus have no other spelling. */
static bool is_named(const struct grub_device *d, struct str name)
{
	if (str_is(name, d->name))
		return true;
	for (size_t i = 0; i < GRUB_ALIASES; i++)
		if (d->alias[i] && str_is(name, d->alias[i]))
			return true;
	return false;
}

int device_find(const struct grub_files *files, struct str name, unsigned first, size_t *dev,
                struct err *err)
{
	struct spec want;

	if (name.n >= 2 && name.p[0] == '(' && name.p[name.n - 1] == ')')
		name = (struct str){name.p + 1, name.n - 2};
	for (size_t i = 0; i < files->device_count && memchr(name.p, '/', name.n); i++)
		if (is_named(&files->devices[i], name)) {
			*dev = i;
			return 0;
		}
	if (!parse_spec(name, first, &want))
		return err_set(err, ERR_NOENT, "no such device: %.*s", STR_ARG(name));
	for (size_t i = 0; i < files->device_count; i++)
		if (matches(&files->devices[i], &want)) {
			*dev = i;
			return 0;
		}
	if (bare_disk(files, &want, dev))
		return 0;
	return err_set(err, ERR_NOENT, "no such device: %.*s", STR_ARG(name));
}

void path_tidy(struct str path, struct buf *out)
{
	size_t base = out->n;

	while (path.p) {
		struct str part = str_cut(&path, '/');

		if (!part.n || str_is(part, "."))
			continue;
		if (str_is(part, "..")) {
			while (out->n > base && out->p[out->n - 1] != '/')
				out->n--;
			if (out->n > base)
				out->n--;
			continue;
		}
		buf_put(out, "/", 1);
		buf_put(out, part.p, part.n);
	}
	if (out->n == base)
		buf_put(out, "/", 1);
	buf_put(out, "", 0); /* the NUL after what ".." took away */
}

/* Is dev a disk without a file system, and part one of its partitions? */
static bool is_table(struct grub_files *files, size_t dev, size_t part)
{
	struct grub_probe probe = {.fs = ""};
	struct spec disk, home;
	struct err ignored;

	return part < files->device_count &&
	       parse_spec(str_from(files->devices[dev].name), 1, &disk) &&
	       parse_spec(str_from(files->devices[part].name), 1, &home) && !disk.part &&
	       home.part && disk.disk == home.disk &&
	       files->ops->probe(files, dev, &probe, &ignored) < 0;
}

int device_locate(const struct file_base *base, struct str name, size_t *dev, bool *moved,
                  struct err *err)
{
	size_t found = 0;
	int rc = device_find(base->files, name, base->first, &found, err);

	if (rc < 0)
		return rc;
	if (is_table(base->files, found, base->home)) {
		found = base->home;
		if (moved)
			*moved = true;
	}
	*dev = found;
	return 0;
}

int file_locate(const struct file_base *base, struct str name, size_t *dev, struct buf *path,
                bool *moved, struct err *err)
{
	struct str rest = name, device = base->root;
	size_t found = 0;
	int rc;

	if (str_starts(name, "(")) {
		device = str_drop(str_cut(&rest, ')'), 1);
		if (!rest.p)
			return err_set(err, ERR_FORMAT, "%.*s: a '(' without ')'", STR_ARG(name));
	}
	if (!device.n)
		return err_set(err, ERR_NOENT, "%.*s: the device's name is empty", STR_ARG(name));
	rc = device_locate(base, device, &found, moved, err);
	if (rc < 0)
		return err_prefix(err, "%.*s", STR_ARG(name));
	if (!str_starts(rest, "/"))
		return err_set(err, ERR_FORMAT, "%.*s: a file name must start with /",
		               STR_ARG(name));
	path_tidy(rest, path);
	*dev = found;
	return 0;
}

int file_check(struct grub_files *files, size_t dev, struct str path, struct err *err)
{
	struct grub_stat st;
	int rc = files->ops->stat(files, dev, path, &st, err);

	if (rc < 0)
		return err_prefix(err, "(%s)%.*s", files->devices[dev].name, STR_ARG(path));
	if (st.kind != GRUB_FILE)
		return err_set(err, ERR_NOENT, "(%s)%.*s: not a regular file",
		               files->devices[dev].name, STR_ARG(path));
	return 0;
}
