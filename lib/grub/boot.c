/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/boot.h"
#include "grub/device.h"
#include "grub/texts.h"

#include <stdlib.h>
#include <string.h>

void boot_drop_initrds(struct grub_boot *boot)
{
	for (size_t i = 0; i < boot->initrd_count; i++)
		free(boot->initrds[i].path);
	free(take(&boot->initrds));
	boot->initrd_count = 0;
}

void boot_unload(struct grub_boot *boot)
{
	free(take(&boot->kernel.path));
	free(take(&boot->args));
	boot_drop_initrds(boot);
}

/* The entry names a disk, but the menu's partition is used: warn once per entry. */
static void say_moved(struct grub_boot *boot, const struct file_base *base, struct str name)
{
	const char *home = base->files->devices[base->home].name;
	struct str device = base->root;
	char *text;

	if (str_starts(name, "("))
		device = str_drop(str_cut(&name, ')'), 1);
	else if (str_starts(device, "(") && str_ends(device, ")"))
		device = (struct str){device.p + 1, device.n - 2};
	text = xasprintf("(%.*s) has partitions and no file system; using (%s), where the menu is",
	                 (int)MIN(device.n, 64), device.p, home);
	if (boot->warnings.n && strcmp(boot->warnings.v[boot->warnings.n - 1], text) == 0)
		free(text);
	else
		texts_give(&boot->warnings, text);
}

static int find_file(struct grub_boot *boot, const struct file_base *base, struct str name,
                     struct grub_boot_file *out, struct err *err)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	bool moved = false;
	size_t dev = 0;
	int rc = file_locate(base, name, &dev, &path, &moved, err);

	if (rc == 0 && moved)
		say_moved(boot, base, name);
	if (rc == 0)
		rc = file_check(base->files, dev, buf_str(&path), err);
	if (rc < 0)
		return rc;
	*out = (struct grub_boot_file){.dev = dev, .path = buf_steal(&path)};
	return 0;
}

int boot_set_kernel(struct grub_boot *boot, const struct file_base *base, struct str name,
                    struct err *err)
{
	struct grub_boot_file file = {0};
	int rc = find_file(boot, base, name, &file, err);

	if (rc < 0)
		return rc;
	free(boot->kernel.path);
	boot->kernel = file;
	return 0;
}

int boot_add_initrd(struct grub_boot *boot, const struct file_base *base, struct str name,
                    struct err *err)
{
	struct grub_boot_file file = {0};
	int rc = find_file(boot, base, name, &file, err);

	if (rc < 0)
		return rc;
	boot->initrds = xreallocarray(boot->initrds, boot->initrd_count + 1, sizeof *boot->initrds);
	boot->initrds[boot->initrd_count++] = file;
	return 0;
}

void grub_boot_fini(struct grub_boot *boot)
{
	boot_unload(boot);
	texts_fini(&boot->warnings);
	buf_fini(&boot->output);
	writes_fini(&boot->writes);
	free(take(&boot->counted.path));
}

struct grub_write *writes_find(const struct grub_writes *w, size_t dev, struct str path)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].dev == dev && str_is(path, w->v[i].path))
			return &w->v[i];
	return NULL;
}

void writes_put(struct grub_writes *w, size_t dev, struct str path, struct buf *data)
{
	struct grub_write *old = writes_find(w, dev, path);

	if (!old) {
		GROW(w->v, w->n, w->cap);
		old = &w->v[w->n++];
		*old = (struct grub_write){.dev = dev, .path = str_dup(path)};
	}
	buf_fini(&old->data);
	old->data = *data;
	*data = (struct buf)BUF_INIT;
}

void writes_copy(struct grub_writes *to, const struct grub_writes *from)
{
	for (size_t i = 0; i < from->n; i++) {
		struct buf data = BUF_INIT;

		buf_put(&data, from->v[i].data.p, from->v[i].data.n);
		writes_put(to, from->v[i].dev, str_from(from->v[i].path), &data);
	}
}

void writes_fini(struct grub_writes *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->v[i].path);
		buf_fini(&w->v[i].data);
	}
	free(w->v);
	*w = (struct grub_writes){0};
}
