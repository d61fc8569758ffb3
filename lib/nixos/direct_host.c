/* SPDX-License-Identifier: MIT */
#include "nixos/direct_host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "nixos/config_file.h"

#define MODE_FILE 0644

struct direct_files {
	struct direct_host host;
	char *config;           /* its path after following links */
	struct xlcfg_guest cfg; /* its values */
	char *dir;              /* directory of the copies */
	struct direct_names names;
	struct outfile copy[DIRECT_FILES], next; /* next: the config to come */
};

static struct direct_files *of(struct direct_host *h)
{
	return (struct direct_files *)(void *)((char *)h - offsetof(struct direct_files, host));
}

static char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? xstrndup(path, (size_t)MAX(slash - path, 1)) : xstrdup(".");
}

/* ---- the copies ----------------------------------------------------------- */

/* The file gets its name when it is published. */
static int copy(struct direct_host *h, enum direct_file which, int *fd, struct err *err)
{
	struct direct_files *f = of(h);
	int rc;

	if (!h->file[which].path)
		return err_set(err, ERR_NOENT, "%s: names no such file", f->config);
	rc = outfile_open(&f->copy[which], f->dir, str_base(h->file[which].path), MODE_FILE, err);
	*fd = f->copy[which].fd;
	return rc;
}

/* A file with this name was left by an interrupted command: the config does not name it. */
static int publish_copy(struct outfile *o, const char *was, const char *name, struct err *err)
{
	int rc;

	if (!name || !strcmp(was, name))
		return 0;
	if (o->fd < 0)
		return err_set(err, ERR_CHILD, "%s: was not written", name);
	outfile_rename(o, name);
	rc = io_sync(o->fd, o->path, err);
	return rc < 0 ? rc : outfile_publish(o, access(o->path, F_OK) == 0, err);
}

static void take_back(struct direct_host *h)
{
	for (size_t i = 0; i < DIRECT_FILES; i++)
		outfile_unpublish(&of(h)->copy[i]);
}

static int publish_all(struct direct_files *f, const struct direct_text *t, struct err *err)
{
	int rc = config_file_write(f->config, &t->text, &f->next, err);

	if (rc == 0)
		rc = publish_copy(&f->copy[DIRECT_KERNEL], f->names.kernel, t->kernel, err);
	if (rc == 0)
		rc = publish_copy(&f->copy[DIRECT_INITRD], f->names.initrd, t->initrd, err);
	if (rc == 0 && f->copy[DIRECT_KERNEL].published)
		rc = outfile_sync_dir(&f->copy[DIRECT_KERNEL], err);
	return rc;
}

static int publish(struct direct_host *h, const struct direct_change *c, struct err *err)
{
	_cleanup_(direct_text_fini) struct direct_text t = {.kernel = NULL};
	struct direct_files *f = of(h);
	int rc = 0;

	if (c->copies && (!f->names.stem || !f->names.initrd))
		rc = err_set(err, ERR_CHILD, "%s: its kernel= and ramdisk= are no copies",
		             f->config);
	if (rc == 0)
		rc = direct_text_make(buf_str(&h->text), &f->cfg, &f->names, c, &t, err);
	if (rc == 1)
		rc = err_set(err, ERR_CHILD, "%s: %s", f->config, t.why);
	if (rc == 0)
		rc = publish_all(f, &t, err);
	if (rc < 0)
		take_back(h);
	return rc;
}

static int switch_over(struct direct_host *h, struct err *err)
{
	struct outfile *o = &of(h)->next;
	int rc = o->fd < 0 ? 0 : outfile_publish(o, true, err);

	return rc < 0 || o->fd < 0 ? rc : outfile_sync_dir(o, err);
}

/* ---- what is left --------------------------------------------------------- */

struct tidy {
	const char *kernel, *ramdisk; /* names that the config has */
	const char *stem;
	bool all;
	const char *dirs[2]; /* directories of other configs that may name such a file */
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

/* Whether the text of another config contains the name: it may be a copy of this config. */
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

static int tidy(struct direct_host *h, bool all, struct err *err)
{
	struct direct_files *f = of(h);
	_free_ char *cfg_dir = dir_of(f->config);
	struct xlcfg_guest now = {.n = 0};
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct tidy t = {.stem = f->names.stem, .all = all, .dirs = {f->dir, cfg_dir}};
	DIR *d;
	int rc;

	if (!t.stem)
		return 0;
	rc = io_read_file(AT_FDCWD, f->config, XLCFG_BYTES_MAX, &text, err);
	if (rc == 0)
		rc = xlcfg_guest_parse(text.p, text.n, &now, err);
	if (rc < 0)
		return rc;
	t.kernel = now.kernel ? str_base(now.kernel) : "";
	t.ramdisk = now.ramdisk ? str_base(now.ramdisk) : NULL;
	d = opendir(f->dir);
	rc = d ? tidy_dir(&t, d, f->dir, err) : err_sys(err, errno, "%s", f->dir);
	if (d)
		closedir(d);
	xlcfg_guest_fini(&now);
	return rc;
}

/* ---- what is there -------------------------------------------------------- */

static void open_file(struct direct_host *h, enum direct_file which, const char *config,
                      const char *text)
{
	struct stat st = {.st_size = 0};
	int fd;

	if (!text)
		return;
	h->file[which].path = xlcfg_path(config, text);
	fd = open(h->file[which].path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		h->file[which].why = errno;
	h->file[which].fd = fd;
	h->file[which].size = (uint64_t)st.st_size;
	h->file[which].regular = S_ISREG(st.st_mode);
}

static int read_all(struct direct_files *f, const char *config, struct err *err)
{
	int rc;

	f->config = realpath(config, NULL);
	if (!f->config)
		return err_sys(err, errno, "%s", config);
	rc = io_read_file(AT_FDCWD, f->config, XLCFG_BYTES_MAX, &f->host.text, err);
	if (rc == 0)
		rc = xlcfg_guest_parse(f->host.text.p, f->host.text.n, &f->cfg, err);
	if (rc == 0 && !f->cfg.kernel)
		rc = err_set(err, ERR_BUSY, "%s: was changed meanwhile", config);
	if (rc < 0)
		return rc;
	direct_names_of(f->cfg.kernel, f->cfg.ramdisk, &f->names);
	open_file(&f->host, DIRECT_KERNEL, config, f->cfg.kernel);
	open_file(&f->host, DIRECT_INITRD, config, f->cfg.ramdisk);
	f->dir = dir_of(f->host.file[DIRECT_KERNEL].path);
	return 0;
}

int direct_host_open(const char *config, struct direct_host **out, struct err *err)
{
	struct direct_files *f = xcalloc(1, sizeof *f);
	int rc;

	*f = (struct direct_files){
	        .host = {.file = {{.fd = -1}, {.fd = -1}},
	                 .copy = copy,
	                 .publish = publish,
	                 .take_back = take_back,
	                 .switch_over = switch_over,
	                 .tidy = tidy},
	        .copy = {OUTFILE_INIT, OUTFILE_INIT},
	        .next = OUTFILE_INIT,
	};
	rc = read_all(f, config, err);
	if (rc < 0)
		direct_host_close(&f->host);
	else
		*out = &f->host;
	return rc;
}

void direct_host_close(struct direct_host *h)
{
	struct direct_files *f;

	if (!h)
		return;
	f = of(h);
	for (size_t i = 0; i < DIRECT_FILES; i++) {
		io_close(&h->file[i].fd);
		free(h->file[i].path);
		outfile_fini(&f->copy[i]);
	}
	outfile_fini(&f->next);
	buf_fini(&h->text);
	direct_names_fini(&f->names);
	xlcfg_guest_fini(&f->cfg);
	free(f->config);
	free(f->dir);
	free(f);
}
