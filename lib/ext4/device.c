/* SPDX-License-Identifier: MIT */
#include "ext4/device.h"

#include <blkid.h>
#include <errno.h>
#include <stddef.h>

static const char *value(blkid_probe pr, const char *key)
{
	const char *text;

	return blkid_probe_lookup_value(pr, key, &text, NULL) == 0 ? text : NULL;
}

static int probe(blkid_probe pr, int fd, const char *name, struct err *err)
{
	const char *what;
	int rc;

	if (blkid_probe_set_device(pr, fd, 0, 0) < 0)
		return err_sys(err, errno, "%s: probe", name);
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_BADCSUM);
	blkid_probe_enable_partitions(pr, 1);
	rc = blkid_do_safeprobe(pr);
	if (rc == 1)
		return 0;
	if (rc == -1)
		return err_sys(err, errno, "%s: probe", name);
	/* -2: more than one kind of thing. */
	what = value(pr, "TYPE");
	if (what)
		return err_set(err, ERR_EXISTS, "%s: contains data (%s); --force overwrites it",
		               name, what);
	what = value(pr, "PTTYPE");
	if (what)
		return err_set(err, ERR_EXISTS,
		               "%s: contains a partition table (%s); --force overwrites it", name,
		               what);
	return err_set(err, ERR_EXISTS, "%s: contains data; --force overwrites it", name);
}

int device_check_empty(int fd, const char *name, struct err *err)
{
	blkid_probe pr = blkid_new_probe();
	int rc;

	if (!pr)
		return err_set(err, ERR_IO, "%s: libblkid: cannot create a probe", name);
	rc = probe(pr, fd, name, err);
	blkid_free_probe(pr);
	return rc;
}
