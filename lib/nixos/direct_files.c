/* SPDX-License-Identifier: MIT */
/* The files of a guest that is booted directly; direct.h has the order. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "nixos/direct.h"

#define PIECE 65536u
#define MODE_FILE 0644

/* A file of the guest's into one beside the config. */
static int copy_out(struct off_guest *off, const char *path, const struct outfile *to,
                    struct err *err)
{
	_cleanup_(walk_freep) struct walk *walk = NULL;
	_free_ char *piece = xmalloc(PIECE);
	struct walk_entry ent;
	size_t n = PIECE;
	uint32_t ino;
	int rc = ext4_edit_find(off->root.edit, path, true, &ino, err);

	if (rc == 0)
		rc = ext4_edit_walk(off->root.edit, ino, MODE_FILE, &walk, err);
	if (rc == 0)
		rc = walk_next(walk, &ent, err);
	while (rc == 0 && n == PIECE) {
		rc = walk_read(walk, piece, PIECE, &n, err);
		if (rc == 0)
			rc = io_write(to->fd, to->path, piece, n, err);
	}
	return rc < 0 ? rc : io_sync(to->fd, to->path, err);
}

static int write_copy(struct off_guest *off, const struct direct *d, const char *was,
                      const char *name, const char *from, struct outfile *o, struct err *err)
{
	int rc;

	if (!strcmp(was, name))
		return 0;
	rc = outfile_open(o, d->dir, name, MODE_FILE, err);
	return rc < 0 ? rc : copy_out(off, from, o, err);
}

/* The config to come, for the same people as the one that is there. */
static int write_config(struct direct *d, struct err *err)
{
	const char *slash = strrchr(d->config, '/');
	_free_ char *dir = xstrndup(d->config, (size_t)MAX(slash - d->config, 1));
	struct stat st;
	int rc;

	if (stat(d->config, &st) < 0)
		return err_sys(err, errno, "%s", d->config);
	rc = outfile_open(&d->cfg, dir, slash + 1, 0600, err);
	if (rc == 0)
		rc = io_write(d->cfg.fd, d->cfg.path, d->changed.p, d->changed.n, err);
	if (rc < 0)
		return rc;
	if (fchown(d->cfg.fd, st.st_uid, st.st_gid) < 0 ||
	    fchmod(d->cfg.fd, st.st_mode & 07777) < 0)
		return err_sys(err, errno, "%s: cannot set owner and mode", d->cfg.path);
	return io_sync(d->cfg.fd, d->cfg.path, err);
}

int direct_write(struct off_guest *off, struct direct *d, const struct guest_system *s,
                 struct err *err)
{
	int rc = 0;

	if (d->copies)
		rc = write_copy(off, d, d->old_kernel, d->new_kernel, s->kernel, &d->kernel, err);
	if (rc == 0 && d->copies)
		rc = write_copy(off, d, d->old_initrd, d->new_initrd, s->initrd, &d->initrd, err);
	return rc < 0 || !direct_differs(d) ? rc : write_config(d, err);
}

/* What has the name is of a command that was stopped: the config names it not. */
static int publish_copy(struct outfile *o, struct err *err)
{
	return o->fd < 0 ? 0 : outfile_publish(o, access(o->path, F_OK) == 0, err);
}

int direct_publish(struct direct *d, struct err *err)
{
	int rc = publish_copy(&d->kernel, err);

	if (rc == 0)
		rc = publish_copy(&d->initrd, err);
	if (rc == 0 && d->kernel.fd >= 0)
		rc = outfile_sync_dir(&d->kernel, err);
	if (rc < 0)
		direct_take_back(d);
	return rc;
}

void direct_take_back(struct direct *d)
{
	outfile_unpublish(&d->kernel);
	outfile_unpublish(&d->initrd);
}

int direct_switch(struct direct *d, struct err *err)
{
	int rc;

	if (d->cfg.fd < 0)
		return 0;
	rc = outfile_publish(&d->cfg, true, err);
	return rc < 0 ? rc : outfile_sync_dir(&d->cfg, err);
}

/* ---- what is left --------------------------------------------------------- */

struct tidy {
	const char *kernel, *ramdisk; /* names that the config has */
	const char *stem;
	bool all;
	const char *dirs[2]; /* of configs that may name a file, too */
};

static bool is_left(const struct tidy *t, const char *name, const char *suffix)
{
	_free_ char *stem = direct_stem(name, suffix);
	_free_ char *first = xasprintf("%s%s", t->stem, suffix);

	if (!stem || strcmp(stem, t->stem) != 0 || !strcmp(name, t->kernel) ||
	    (t->ramdisk && !strcmp(name, t->ramdisk)))
		return false;
	return t->all || strcmp(name, first) != 0;
}

/* Whether another config has the name in its text: a copy of this one, say. */
static int is_named_in(DIR *dir, const char *path, const char *name, bool *named, struct err *err)
{
	struct dirent *e;
	int rc = 0;

	while (rc == 0 && !*named && (e = readdir(dir))) {
		_cleanup_(buf_fini) struct buf text = BUF_INIT;

		if (!str_ends(str_from(e->d_name), ".cfg"))
			continue;
		rc = err_absent(io_read_file(dirfd(dir), e->d_name, XLCFG_BYTES_MAX, &text, err));
		*named = rc == 0 && memmem(text.p ? text.p : "", text.n, name, strlen(name));
		if (rc < 0)
			err_prefix(err, "%s", path);
		else
			rc = 0;
	}
	return rc;
}

static int is_named(const struct tidy *t, const char *name, bool *named, struct err *err)
{
	int rc = 0;

	*named = false;
	for (size_t i = 0; i < ARRAY_LEN(t->dirs) && rc == 0 && !*named; i++) {
		DIR *dir = opendir(t->dirs[i]);

		if (!dir)
			return err_sys(err, errno, "%s", t->dirs[i]);
		rc = is_named_in(dir, t->dirs[i], name, named, err);
		closedir(dir);
	}
	return rc;
}

static int tidy_dir(const struct tidy *t, DIR *dir, const char *path, struct err *err)
{
	struct dirent *e;
	bool named;

	while ((e = readdir(dir))) {
		if (!is_left(t, e->d_name, ".kernel") && !is_left(t, e->d_name, ".initrd"))
			continue;
		if (is_named(t, e->d_name, &named, err) < 0)
			return -(int)err->code;
		if (!named && unlinkat(dirfd(dir), e->d_name, 0) < 0 && errno != ENOENT)
			return err_sys(err, errno, "%s/%s: cannot remove it", path, e->d_name);
	}
	return 0;
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? xstrndup(path, (size_t)MAX(slash - path, 1)) : xstrdup(".");
}

int direct_tidy(struct off_guest *off, bool all, struct err *err)
{
	const struct booting_config *c = &off->config;
	_free_ char *stem = c->kernel && !c->in_guest ? direct_stem(c->kernel, ".kernel") : NULL;
	_free_ char *host = stem ? xlcfg_path(c->path, c->kernel) : NULL;
	_free_ char *dir = host ? dir_of(host) : NULL;
	_free_ char *real = host ? realpath(c->path, NULL) : NULL;
	_free_ char *cfg_dir = real ? dir_of(real) : NULL;
	struct tidy t = {.stem = stem, .all = all, .dirs = {dir, cfg_dir}};
	DIR *d;
	int rc;

	if (!stem)
		return 0;
	if (!real)
		return err_sys(err, errno, "%s", c->path);
	t.kernel = base_of(c->kernel);
	t.ramdisk = c->ramdisk ? base_of(c->ramdisk) : NULL;
	d = opendir(dir);
	if (!d)
		return err_sys(err, errno, "%s", dir);
	rc = tidy_dir(&t, d, dir, err);
	closedir(d);
	return rc;
}
