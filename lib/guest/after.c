/* SPDX-License-Identifier: MIT */
#include "guest/after.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grub/blscount.h"
#include "grub/grubenv.h"

static struct files_after *after(struct grub_files *f)
{
	return (struct files_after *)(void *)f;
}

static struct grub_files *files_now(struct grub_files *f)
{
	return after(f)->now;
}

/* ---- a file that has another name afterwards ------------------------------ */

static bool is_path(const struct files_after *f, size_t dev, struct str path, const char *name)
{
	return f->next && dev == f->boot->counted.dev && str_is(path, name);
}

/* The path that a file has now. 0, or -ERR_NOENT: there is none of that name afterwards. */
static int path_now(const struct files_after *f, size_t dev, struct str *path, struct err *err)
{
	if (is_path(f, dev, *path, f->boot->counted.path))
		return err_set(err, ERR_NOENT, "%.*s: no such file", STR_ARG(*path));
	if (is_path(f, dev, *path, f->next))
		*path = str_from(f->boot->counted.path);
	return 0;
}

struct listing {
	const struct files_after *f;
	grub_name_fn *fn;
	void *arg;
};

static int take_name(void *arg, struct str name)
{
	const struct listing *l = arg;

	if (str_is(name, str_base(l->f->boot->counted.path)))
		name = str_from(str_base(l->f->next));
	return l->fn(l->arg, name);
}

/* ---- grub/files.h --------------------------------------------------------- */

static int after_probe(struct grub_files *f, size_t dev, struct grub_probe *out, struct err *err)
{
	return files_now(f)->ops->probe(files_now(f), dev, out, err);
}

static int after_stat(struct grub_files *f, size_t dev, struct str path, struct grub_stat *out,
                      struct err *err)
{
	int rc = path_now(after(f), dev, &path, err);

	return rc < 0 ? rc : files_now(f)->ops->stat(files_now(f), dev, path, out, err);
}

static int after_list(struct grub_files *f, size_t dev, struct str path, grub_name_fn *fn,
                      void *arg, struct err *err)
{
	struct listing l = {after(f), fn, arg};

	if (!is_path(l.f, dev, path, l.f->dir))
		return files_now(f)->ops->list(files_now(f), dev, path, fn, arg, err);
	return files_now(f)->ops->list(files_now(f), dev, path, take_name, &l, err);
}

static int after_read(struct grub_files *f, size_t dev, struct str path, size_t limit,
                      struct buf *out, struct err *err)
{
	const struct grub_writes *w = &after(f)->boot->writes;
	int rc;

	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].dev == dev && str_is(path, w->v[i].path) && w->v[i].data.n <= limit) {
			buf_put(out, w->v[i].data.p, w->v[i].data.n);
			return 0;
		}
	rc = path_now(after(f), dev, &path, err);
	return rc < 0 ? rc : files_now(f)->ops->read(files_now(f), dev, path, limit, out, err);
}

static int after_piece(struct grub_files *f, const struct grub_at *at, void *p, size_t n,
                       struct err *err)
{
	struct grub_at now = *at;
	int rc = path_now(after(f), at->dev, &now.path, err);

	return rc < 0 ? rc : files_now(f)->ops->piece(files_now(f), &now, p, n, err);
}

static const struct grub_files_ops ops = {.probe = after_probe,
                                          .stat = after_stat,
                                          .read = after_read,
                                          .piece = after_piece,
                                          .list = after_list};

/* ---- what a start changes ------------------------------------------------- */

/* domgrub writes blocks of this size only. */
static bool writes_blocks(const struct grub_writes *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].data.n != GRUBENV_SIZE)
			return false;
	return w->n;
}

/* domgrub renames files on ext2, ext3 and ext4 only. */
static bool can_rename(struct grub_files *files, const struct grub_counted *c)
{
	struct grub_probe probe = {.fs = ""};
	struct err ignored;

	return c->path && files->ops->probe(files, c->dev, &probe, &ignored) == 0 &&
	       strcmp(probe.fs, "ext2") == 0;
}

/* Its next name, if that is another one. */
static void set_next(struct files_after *f, const char *path)
{
	_cleanup_(buf_fini) struct buf next = BUF_INIT;
	struct str dir, name;
	struct blscount c;

	if (!blscount_path(str_from(path), &dir, &name) || !blscount_parse(name, &c))
		return;
	buf_putf(&next, "%.*s/", STR_ARG(dir));
	blscount_next(&c, &next);
	if (str_is(buf_str(&next), path))
		return;
	f->dir = xstrndup(dir.p, dir.n);
	f->next = buf_steal(&next);
}

bool files_after_init(struct files_after *out, struct grub_files *now, const struct grub_boot *boot)
{
	*out = (struct files_after){
	        .files = {.ops = &ops, .devices = now->devices, .device_count = now->device_count},
	        .now = now,
	        .boot = boot};
	if (can_rename(now, &boot->counted))
		set_next(out, boot->counted.path);
	return out->next || writes_blocks(&boot->writes);
}

void files_after_fini(struct files_after *f)
{
	free(take(&f->dir));
	free(take(&f->next));
}
