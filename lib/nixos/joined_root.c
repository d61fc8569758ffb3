/* SPDX-License-Identifier: MIT */
#include "nixos/foreign_root.h"

#include "base/mem.h"
#include "guest/disks.h"
#include "nixos/off_guest.h"

/* The last four: where / or /nix is a subvolume of btrfs. */
static const char *const stores[] = {
        "/nix/store", "/@/nix/store", "/@root/nix/store", "/root/nix/store", "/@nix/store",
};

/* 0, 1: no file system, or none with a store; -ERR_*. */
static int has_store(struct disks *d, size_t dev, struct fs **out, struct err *err)
{
	int rc = err_absent(disks_fs(d, dev, out, err));

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(stores); i++) {
		struct fs_stat st;

		rc = err_absent(fs_stat(*out, str_from(stores[i]), true, &st, err));
		if (rc == 0 && st.kind == FS_DIR)
			return 0;
		rc = rc < 0 ? rc : 0;
	}
	return rc < 0 ? rc : 1;
}

static int look(const struct off_guest *off, struct disks *d, struct err *err)
{
	const struct grub_files *files = disks_files(d);
	struct err first = ERR_INIT;

	for (size_t i = 0; i < files->device_count; i++) {
		struct fs *fs;
		int rc = has_store(d, i, &fs, err);

		if (rc < 0 && !first.code)
			first = *err;
		if (rc)
			continue;
		return err_set(err, ERR_UNSUPPORTED,
		               "%s: /nix/store is on %s%s, (%s); generations are read and changed "
		               "only on ext4 directly on a disk or partition",
		               off->paths[0], fs_type(fs),
		               disks_window(d, i)->fixed ? " on LVM2 or half of a RAID1" : "",
		               files->devices[i].name);
	}
	if (!first.code && disks_fault(d, &first) == 0)
		return err_set(err, ERR_NOENT, "%s: no ext4 file system with a /nix/store in it",
		               off->paths[0]);
	*err = first;
	return -(int)err->code;
}

int foreign_root(const struct off_guest *off, struct err *err)
{
	struct disk_spec spec[OFF_GUEST_DISKS_MAX];
	_cleanup_(buf_fini) struct buf notes = BUF_INIT;
	struct disks *d;
	int rc;

	for (size_t i = 0; i < off->n_disks; i++) {
		const struct target *t = &off->targets[i];

		spec[i] = (struct disk_spec){.fd = t->fd,
		                             .size = t->size,
		                             .sector = t->sector ? t->sector : 512,
		                             .name = t->name};
	}
	d = disks_new(spec, off->n_disks, &notes);
	rc = look(off, d, err);
	disks_free(d);
	return rc;
}
