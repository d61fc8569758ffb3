/* SPDX-License-Identifier: MIT */
/*
 * Where the system expects its file systems: its own fstab says, and label,
 * UUID and disk follow it, where the user did not say otherwise.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "create/create.h"
#include "ext4/ext4_finish.h"
#include "nixos/fstab.h"

#define FSTAB_MAX (1u << 20)

/* "/dev/xvdb1" is partition 1 of disk xvdb, "/dev/xvdb" the disk itself. */
static bool vdev_of(const struct guest_disk *d, struct str device, char out[8])
{
	struct str s = str_drop(device, strlen("/dev/"));

	if (!str_starts(device, "/dev/xvd") || s.n != (d->partitioned ? 5u : 4u) || s.p[3] < 'a' ||
	    s.p[3] > 'z' || (d->partitioned && s.p[4] != '1'))
		return false;
	snprintf(out, 8, "xvd%c", s.p[3]);
	return true;
}

static void expect_device(struct guest_disk *d, const struct fstab_entry *e)
{
	if (!vdev_of(d, e->value, d->vdev))
		ui_warn("the system expects %s on %.*s, but it is on /dev/%s%s", d->mountpoint,
		        STR_ARG(e->value), d->vdev, d->partitioned ? "1" : "");
}

static int expect_label(struct guest_disk *d, const struct fstab_entry *e, struct err *err)
{
	if (d->wanted_label) {
		if (!str_is(e->value, d->wanted_label))
			ui_warn("the system expects %s with the label '%.*s', but --label is '%s'",
			        d->mountpoint, STR_ARG(e->value), d->wanted_label);
		return 0;
	}
	if (e->value.n > EXT4_LABEL_MAX)
		return err_set(err, ERR_UNSUPPORTED,
		               "the system expects %s with the label '%.*s', but ext4 labels are "
		               "limited to %d bytes",
		               d->mountpoint, STR_ARG(e->value), EXT4_LABEL_MAX);
	free(d->label);
	d->label = xstrndup(e->value.p, e->value.n);
	return 0;
}

static void expect_uuid(struct guest_disk *d, const struct fstab_entry *e)
{
	uint8_t want[16];

	if (!guest_uuid_parse(e->value, want))
		ui_warn("the system expects %s by UUID '%.*s', which is not a UUID of ext4",
		        d->mountpoint, STR_ARG(e->value));
	else if (!d->wanted_uuid)
		memcpy(d->uuid, want, 16);
	else if (memcmp(d->uuid, want, 16) != 0)
		ui_warn("the system expects %s by UUID %.*s, but --uuid is %s", d->mountpoint,
		        STR_ARG(e->value), d->wanted_uuid);
}

static int expect_disk(struct guest_disk *d, struct str fstab, struct err *err)
{
	struct fstab_entry e;

	if (!fstab_find(fstab, d->mountpoint, &e)) {
		ui_detail("the system's etc/fstab does not name %s; assuming /dev/%s%s",
		          d->mountpoint, d->vdev, d->partitioned ? "1" : "");
		return 0;
	}
	if (!str_is(e.type, "ext4") && !str_is(e.type, "auto"))
		ui_warn("the system expects %s to be %.*s, but it is ext4", d->mountpoint,
		        STR_ARG(e.type));
	if (e.by == FSTAB_LABEL)
		return expect_label(d, &e, err);
	if (e.by == FSTAB_UUID)
		expect_uuid(d, &e);
	else
		expect_device(d, &e);
	return 0;
}

static int set_identity(const struct guest *g, struct guest_disk *d, struct err *err)
{
	d->label = xstrdup(d->wanted_label ? d->wanted_label : d->usual_label);
	guest_derive_uuid(g, d->role, d->uuid);
	if (d->wanted_uuid && !guest_uuid_parse(str_from(d->wanted_uuid), d->uuid))
		return err_set(err, ERR_USAGE, "--uuid '%s': not a UUID", d->wanted_uuid);
	return 0;
}

int guest_expect(struct guest *g, struct err *err)
{
	_free_ char *path = xasprintf("%s/etc/fstab", g->system.toplevel);
	struct buf fstab = BUF_INIT;
	struct err missing = ERR_INIT;
	int rc = 0;

	rc = store_files_read(g->source.files, path, FSTAB_MAX, &fstab, &missing);
	/* A missing fstab is fine; one that could not be fetched is an error. */
	if (rc < 0 && rc != -ERR_NOENT && g->source.caches) {
		*err = missing;
		buf_fini(&fstab);
		return rc;
	}
	if (rc < 0)
		ui_detail("%s", missing.text);
	rc = 0;
	for (size_t i = 0; i < g->n_disks && rc == 0; i++) {
		rc = set_identity(g, &g->disks[i], err);
		if (rc == 0)
			rc = expect_disk(&g->disks[i], buf_str(&fstab), err);
	}
	buf_fini(&fstab);
	if (rc == 0 && g->n_disks == 2 && strcmp(g->disks[0].vdev, g->disks[1].vdev) == 0)
		rc = err_set(
		        err, ERR_UNSUPPORTED,
		        "the system expects / and /boot on the same disk %s; use --layout single",
		        g->disks[0].vdev);
	return rc;
}
