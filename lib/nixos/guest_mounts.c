/* SPDX-License-Identifier: MIT */
#include "nixos/guest_mounts.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/show.h"
#include "guest/boots.h"
#include "nixos/fstab.h"

#define LINES_MAX 200u

/* ---- devices -------------------------------------------------------------- */

static bool same_word(struct str a, const char *b, bool fold)
{
	return a.n && (fold ? str_is_nocase(a, b) : str_is(a, b));
}

/* "/dev/xvda2" and "/dev/sda2" are partition 2 of the first disk; "/dev/xvda" is all of it. */
static bool is_disk_name(struct str path, const char *device)
{
	static const char *const kinds[] = {"/dev/xvd", "/dev/sd", "/dev/vd", "/dev/hd"};
	char disk[16];
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct str rest = path;

		if (!str_starts(path, kinds[i]))
			continue;
		rest = str_drop(rest, strlen(kinds[i]));
		if (!rest.n || rest.p[0] < 'a' || rest.p[0] > 'z')
			return false;
		snprintf(disk, sizeof disk, "hd%d", rest.p[0] - 'a');
		n = strlen(disk);
		if (strncmp(device, disk, n) != 0)
			return false;
		rest = str_drop(rest, 1);
		if (!rest.n || !device[n])
			return !rest.n && !device[n];
		n += strcspn(device + n, "0123456789");
		return str_is(rest, device + n);
	}
	return false;
}

/* A logical volume; or "/dev/md/boot", which is "md/boot". */
static bool is_volume_name(struct str path, const struct grub_device *device)
{
	const struct str whole = path;

	if (!str_starts(path, "/dev/"))
		return false;
	path = str_drop(path, strlen("/dev/"));
	if (str_starts(path, "md/"))
		return device->alias[0] && str_is(path, device->alias[0]);
	if (str_starts(path, "md"))
		return device->alias[0] && str_starts(str_from(device->alias[0]), "md/") &&
		       str_is(path, device->alias[0] + strlen("md/"));
	return fstab_is_volume(whole, device->name);
}

static bool is_part_uuid(struct str value, const struct grub_probe *probe)
{
	static const char *const forms[] = {"PARTUUID=", "/dev/disk/by-partuuid/"};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (str_starts(value, forms[i]))
			return same_word(str_drop(value, strlen(forms[i])), probe->part_uuid, true);
	return false;
}

static bool is_named(const struct fstab_entry *e, struct str value,
                     const struct grub_device *device, const struct grub_probe *probe)
{
	switch (e->by) {
	case FSTAB_LABEL:
		return same_word(value, probe->label, false);
	case FSTAB_UUID:
		return same_word(value, probe->uuid, true);
	case FSTAB_DEVICE:
		break;
	}
	return is_part_uuid(value, probe) || is_disk_name(value, device->name) ||
	       is_volume_name(value, device);
}

/* Halves of a mirror have the same names, and the same bytes. */
static int find_device(struct disks *d, const struct fstab_entry *e, struct fs **out,
                       struct err *err)
{
	struct grub_files *files = disks_files(d);
	_cleanup_(buf_fini) struct buf value = BUF_INIT;
	static const char *const by[] = {"device", "label", "UUID"};
	char shown[SHOW_SIZE];
	size_t found = SIZE_MAX;

	fstab_unescape(e->value, &value);
	for (size_t i = 0; i < files->device_count; i++) {
		struct grub_probe probe;

		if (files->ops->probe(files, i, &probe, err) < 0 ||
		    !is_named(e, buf_str(&value), &files->devices[i], &probe))
			continue;
		if (found == SIZE_MAX)
			found = i;
		else if (!disks_window(d, found)->fixed || !disks_window(d, i)->fixed)
			return err_set(err, ERR_UNSUPPORTED, "%s %s: both (%s) and (%s)", by[e->by],
			               show_str(buf_str(&value), shown), files->devices[found].name,
			               files->devices[i].name);
	}
	if (found != SIZE_MAX)
		return disks_fs(d, found, out, err);
	return err_set(err, ERR_NOENT, "%s %s: on none of the disks", by[e->by],
	               show_str(buf_str(&value), shown));
}

/* ---- mounts --------------------------------------------------------------- */

static void set_subvol(struct str options, struct fs_subvol *out)
{
	struct str path = fstab_option(options, "subvol"), id = fstab_option(options, "subvolid");

	*out = (struct fs_subvol){.path = path};
	if (!path.p && id.p)
		(void)str_u64(id, 10, UINT64_MAX, &out->id);
}

static int mount_entry(const struct guest_mounts *m, struct fs *view, const struct fstab_entry *e,
                       struct err *err)
{
	_cleanup_(buf_fini) struct buf dir = BUF_INIT;
	struct fs_subvol sub;
	struct fs *fs;
	int rc = find_device(m->d, e, &fs, err);

	if (rc < 0)
		return rc;
	fstab_unescape(e->mountpoint, &dir);
	set_subvol(e->options, &sub);
	return fs_view_mount(view, buf_str(&dir), fs, &sub, err);
}

/* A bind of what is no directory on a disk (a file, a tmpfs) is nothing that anybody misses. */
static int bind_entry(struct fs *view, const struct fstab_entry *e, struct err *err)
{
	_cleanup_(buf_fini) struct buf dir = BUF_INIT, from = BUF_INIT;
	int rc;

	fstab_unescape(e->mountpoint, &dir);
	fstab_unescape(e->value, &from);
	rc = err_absent(fs_view_bind(view, buf_str(&dir), buf_str(&from), err));
	return rc < 0 ? rc : 0;
}

static bool is_bind(const struct fstab_entry *e)
{
	return fstab_has_option(e->options, "bind") || fstab_has_option(e->options, "rbind");
}

/* Whether it is on a disk, by how it is named. */
static bool is_on_disk(const struct fstab_entry *e)
{
	return e->by != FSTAB_DEVICE || str_starts(e->value, "/dev/") ||
	       str_starts(e->value, "PARTUUID=");
}

/* root= of a disk comes before the fstab; "fstab" and others leave it to that. */
static int mount_root(const struct guest_mounts *m, struct fs *view, struct err *err)
{
	struct str root = boots_argument(m->args, "root="),
	           flags = boots_argument(m->args, "rootflags=");
	struct fstab_entry e = {.mountpoint = STR("/")}, given = {.by = FSTAB_DEVICE};
	bool listed = fstab_find(m->fstab, "/", &e);

	e.mountpoint = STR("/");
	if (root.p)
		fstab_source(root, &given);
	if (root.p && is_on_disk(&given)) {
		e.by = given.by;
		e.value = given.value;
		e.type = STR("auto");
		if (flags.p)
			e.options = flags;
		listed = true;
	}
	if (listed && is_on_disk(&e))
		return mount_entry(m, view, &e, err);
	/* A root in memory, of which nothing is on a disk. */
	if (listed || !m->root)
		return 0;
	return fs_view_mount(view, STR("/"), m->root, &m->sub, err);
}

int guest_mounts_view(const struct guest_mounts *m, struct fs **out, struct err *err)
{
	_cleanup_(fs_freep) struct fs *view = fs_view_new("guest");
	struct str rest = m->fstab;
	struct fstab_entry e;
	struct err why = ERR_INIT;
	char shown[SHOW_SIZE];
	unsigned lines = 0;
	int lost, rc = mount_root(m, view, err);

	while (rc == 0 && fstab_next(&rest, &e)) {
		if (++lines > LINES_MAX)
			return err_set(err, ERR_LIMIT, "fstab of more than %u lines", LINES_MAX);
		if (str_is(e.mountpoint, "/") || !str_starts(e.mountpoint, "/"))
			continue;
		if (is_bind(&e))
			lost = bind_entry(view, &e, &why);
		else
			lost = is_on_disk(&e) ? mount_entry(m, view, &e, &why) : 0;
		if (lost < 0)
			buf_putf(m->notes, "fstab: %s: not read: %s\n",
			         show_str(e.mountpoint, shown), why.text);
	}
	if (rc < 0)
		return rc;
	*out = take(&view);
	return 0;
}
