/* SPDX-License-Identifier: MIT */
#include "nodisk.h"

static int nodisk_probe(struct grub_files *f, size_t dev, struct grub_probe *out, struct err *err)
{
	*out = (struct grub_probe){.fs = "ext2"};
	return 0;
}

static int nodisk_stat(struct grub_files *f, size_t dev, struct str path, struct grub_stat *out,
                       struct err *err)
{
	*out = (struct grub_stat){.kind = GRUB_FILE};
	return 0;
}

static int nodisk_read(struct grub_files *f, size_t dev, struct str path, size_t limit,
                       struct buf *out, struct err *err)
{
	return err_set(err, ERR_NOENT, "%.*s: not available: --isconfig reads no disk",
	               STR_ARG(path));
}

static int nodisk_piece(struct grub_files *f, const struct grub_at *at, void *p, size_t n,
                        struct err *err)
{
	return nodisk_read(f, at->dev, at->path, n, NULL, err);
}

static int nodisk_list(struct grub_files *f, size_t dev, struct str path, grub_name_fn *fn,
                       void *arg, struct err *err)
{
	return err_set(err, ERR_NOENT, "%.*s: not available: --isconfig reads no disk",
	               STR_ARG(path));
}

static const struct grub_files_ops ops = {
        .probe = nodisk_probe,
        .stat = nodisk_stat,
        .read = nodisk_read,
        .piece = nodisk_piece,
        .list = nodisk_list,
};

static const struct grub_device device = {.name = "hd0"};

struct grub_files nodisk_files = {.ops = &ops, .devices = &device, .device_count = 1};
