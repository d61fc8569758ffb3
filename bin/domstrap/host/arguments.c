/* SPDX-License-Identifier: MIT */
#include "host/arguments.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "host/grub_kernel.h"

#define WHY_MAX 320

/* why: not a raw disk of this host. */
static int add_disk(struct arguments *a, const char *path, const char *vdev, const char *why,
                    struct err *err)
{
	if (a->n == ARGUMENTS_DISKS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d disks", ARGUMENTS_DISKS_MAX);
	a->v[a->n++] = (struct disk_argument){
	        .path = xstrdup(path), .vdev = vdev, .raw = !why, .why = why ? xstrdup(why) : NULL};
	return 0;
}

/* A kernel= with such a name is not a copy of a guest's kernel. */
static void take_grub(struct arguments *a)
{
	_free_ char *path = a->cfg.kernel ? xlcfg_path(a->config, a->cfg.kernel) : NULL;

	if (!path || !grub_kernel_is(path))
		return;
	a->grub = take(&a->cfg.kernel);
	free(take(&a->cfg.ramdisk)); /* arguments that no kernel gets */
	free(take(&a->cfg.cmdline));
}

static int add_config(struct arguments *a, const char *path, const struct buf *text,
                      struct err *err)
{
	int rc;

	if (a->config)
		return err_set(err, ERR_USAGE,
		               "%s and %s: two xl configs; give one guest at a time", a->config,
		               path);
	rc = xlcfg_guest_parse(text->p, text->n, &a->cfg, err);
	if (rc < 0)
		return err_prefix(err, "%s: xl would refuse this config", path);
	a->config = path;
	take_grub(a);
	for (size_t i = 0; i < a->cfg.n && rc == 0; i++) {
		const struct xl_disk_spec *d = &a->cfg.v[i];
		char why[WHY_MAX];
		bool raw = xlcfg_disk_is_raw(d, why, sizeof why);
		_free_ char *disk = raw ? xlcfg_path(path, d->path) : xstrdup(d->path);

		if (!d->cdrom)
			rc = add_disk(a, disk, d->vdev, raw ? NULL : why, err);
	}
	return rc;
}

/* A config is a small text file, a disk is not. */
static int add_argument(struct arguments *a, const char *path, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct stat st;
	int rc;

	if (stat(path, &st) < 0)
		return err_sys(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode) || st.st_size > XLCFG_BYTES_MAX)
		return add_disk(a, path, "", NULL, err);
	rc = io_read_file(AT_FDCWD, path, XLCFG_BYTES_MAX, &text, err);
	if (rc < 0)
		return rc;
	if (!text.n || memchr(text.p, 0, text.n))
		return add_disk(a, path, "", NULL, err);
	return add_config(a, path, &text, err);
}

int arguments_read(const char *const *args, size_t n, struct arguments *out, struct err *err)
{
	int rc = 0;

	*out = (struct arguments){.n = 0};
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add_argument(out, args[i], err);
	if (rc < 0)
		arguments_fini(out);
	return rc;
}

void arguments_fini(struct arguments *a)
{
	while (a->n) {
		free(a->v[--a->n].path);
		free(a->v[a->n].why);
	}
	xlcfg_guest_fini(&a->cfg);
	free(take(&a->grub));
	a->config = NULL;
}

int arguments_open(const struct arguments *a, struct inspector_disks *out, struct err *err)
{
	*out = (struct inspector_disks){.config = a->config, .cfg = &a->cfg};
	for (size_t i = 0; i < a->n; i++) {
		int rc;

		if (!a->v[i].raw)
			continue;
		rc = disk_spec_open(a->v[i].path, &out->spec[out->n], err);
		if (rc == 0)
			rc = disk_spec_lock(&out->spec[out->n++], 0, err);
		if (rc < 0) {
			inspector_close(out);
			return rc;
		}
	}
	return 0;
}
