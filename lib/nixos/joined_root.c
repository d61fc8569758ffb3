/* SPDX-License-Identifier: MIT */
#include "nixos/joined_root.h"

#include <string.h>

#include "base/mem.h"
#include "guest/disks.h"
#include "nixos/guest_view.h"
#include "nixos/off_guest.h"

static void open_disks(struct off_guest *off, struct buf *notes)
{
	off->specs = xcalloc(off->n_disks, sizeof *off->specs);
	off_guest_specs(off, off->specs);
	off->disks = disks_new(off->specs, off->n_disks, notes);
}

void joined_root_fini(struct off_guest *off)
{
	guest_view_free(take(&off->root.view));
	guest_root_fini(&off->joined);
	disks_free(take(&off->disks));
	free(take(&off->specs));
}

/* Why it is only read. */
static int refuse(const struct off_guest *off, struct err *err)
{
	const struct window *w = disks_window(off->disks, off->joined.dev);
	const char *how = w->fixed ? " on LVM2 or half of a RAID1" : "";
	struct fs *fs;
	int rc = disks_fs(off->disks, off->joined.dev, &fs, err);

	if (rc < 0)
		return rc;
	if (!*how && str_starts(str_from(fs_type(fs)), "ext"))
		how = ", not on the root's";
	return err_set(err, ERR_UNSUPPORTED,
	               "%s: /nix/store is on %s%s, (%s); only a root on ext4 directly on a disk or "
	               "partition can be changed. Change the guest from inside (nixos-rebuild, "
	               "nix-collect-garbage); nothing was changed",
	               off->root.target->name, fs_type(fs), how,
	               disks_files(off->disks)->devices[off->joined.dev].name);
}

static void warn_of(const struct off_guest *off, const struct buf *notes)
{
	struct str rest = buf_str(notes);

	while (rest.p) {
		struct str line = str_cut(&rest, '\n');

		if (line.n)
			off_guest_warn(off, "%s: %.*s", off->root.target->name, STR_ARG(line));
	}
}

int joined_root(struct off_guest *off, struct err *err)
{
	_cleanup_(buf_fini) struct buf notes = BUF_INIT;
	const struct window *w;
	size_t disk;
	int rc;

	open_disks(off, &notes);
	rc = guest_root_find(off->disks, &off->config, &off->joined, &notes, err);
	if (rc == 1)
		rc = err_set(err, ERR_NOENT, "%s: no file system with a /nix/store in it",
		             off->paths[0]);
	if (rc < 0)
		return rc;
	w = disks_window(off->disks, off->joined.dev);
	disk = disks_index(off->disks, off->joined.dev);
	ext4_edit_free(off->boot.edit);
	off->root = (struct off_guest_fs){.target = &off->targets[disk == SIZE_MAX ? 0 : disk],
	                                  .base = disk == SIZE_MAX ? 0 : w->start,
	                                  .size = w->size,
	                                  .view = guest_view_new(off->joined.view)};
	off->boot = (struct off_guest_fs){.edit = NULL};
	if (!off->any_root)
		return refuse(off, err);
	disks_notices(off->disks, &notes);
	warn_of(off, &notes);
	return 0;
}
