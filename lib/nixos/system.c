/* SPDX-License-Identifier: MIT */
#include "base/io.h"
#include "base/mem.h"
#include "base/show.h"
#include "nix/bootspec.h"
#include "nix/store_path.h"
#include "nixos/system.h"
#include "store/files.h"
#include "store/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* kernel-params; the kernel itself takes far less. */
#define PARAMS_SIZE_MAX 65536
#define LINE_SIZE_MAX 256

struct loader {
	struct store_files *files;
	struct nixos_system sys;
};

static void loader_fini(struct loader *l)
{
	nixos_system_fini(&l->sys);
}

void nixos_system_fini(struct nixos_system *s)
{
	for (size_t i = 0; i < s->nparams; i++)
		free(s->params[i]);
	free(s->params);
	free(s->toplevel);
	free(s->init);
	free(s->kernel);
	free(s->initrd);
	free(s->version);
	free(s->label);
	free(s->system);
	*s = (struct nixos_system){0};
}

/* The bytes of a file in the toplevel. */
static int read_inside(struct loader *l, const char *name, size_t limit, struct buf *out,
                       struct err *err)
{
	_free_ char *path = xasprintf("%s/%s", l->sys.toplevel, name);

	return store_files_read(l->files, path, limit, out, err);
}

/* A one-line text file in the toplevel; "" where it is missing. */
static int read_line(struct loader *l, const char *name, char **out, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct str s;
	int rc = read_inside(l, name, LINE_SIZE_MAX, &text, err);

	if (rc < 0 && rc != -ERR_NOENT)
		return rc;
	s = str_trim(buf_str(&text));
	if (!bootspec_text_valid(s))
		return err_set(err, ERR_FORMAT, "%s%s/%s: contains control characters",
		               l->files->root, l->sys.toplevel, name);
	*out = xstrndup(s.p, s.n);
	return 0;
}

/* The store path itself, and that it looks like a system. */
static int find_toplevel(struct loader *l, const char *path, struct err *err)
{
	_free_ char *real = NULL;
	_free_ char *init = NULL;
	_free_ char *end = NULL;
	char shown[SHOW_SIZE];
	struct store_path sp;
	int rc = resolve_in_store(l->files, path, &real, err);

	if (rc < 0)
		return rc;
	if (store_path_parse(str_from(real), &sp, err) < 0) {
		rc = err_prefix(err, "%s", show_str(str_from(path), shown));
		err->code = ERR_USAGE;
		return -ERR_USAGE;
	}
	l->sys.toplevel = take(&real);
	init = xasprintf("%s/init", l->sys.toplevel);
	rc = store_files_find(l->files, init, &end, err);
	/* Not a directory: a store path may be a file as well. */
	if (rc == -ERR_NOENT || (rc < 0 && err->sys_errno == ENOTDIR))
		return err_set(err, ERR_USAGE, "not a NixOS system: %s%s has no init",
		               l->files->root, l->sys.toplevel);
	return rc;
}

/* A file that boot.json names must exist. */
static int named_file(struct loader *l, const char *what, const char *path, char **out,
                      struct err *err)
{
	int rc;

	if (!path)
		return 0;
	rc = store_files_find(l->files, path, out, err);
	if (rc == -ERR_NOENT)
		return err_set(err, ERR_FORMAT, "%s/boot.json: its %s %s does not exist",
		               l->sys.toplevel, what, path);
	return rc < 0 ? err_prefix(err, "%s/boot.json: %s", l->sys.toplevel, what) : 0;
}

/* boot.json must describe this system, not another one. */
static int check_identity(struct loader *l, const struct bootspec *b, struct err *err)
{
	struct store_path sp;
	struct str rest;
	int rc = store_path_split(str_from(b->init), &sp, &rest, err);

	if (rc < 0)
		return rc;
	if (strcmp(b->toplevel, l->sys.toplevel) != 0)
		return err_set(err, ERR_FORMAT, "%s/boot.json: describes another system, %s",
		               l->sys.toplevel, b->toplevel);
	if (!str_eq(sp.base, str_drop(str_from(l->sys.toplevel), strlen(STORE_DIR "/"))))
		return err_set(err, ERR_FORMAT, "%s/boot.json: its init %s is outside the system",
		               l->sys.toplevel, b->init);
	return 0;
}

/* Check that the parts which nixos-init mounts as /etc exist, and its init. */
static int check_etc(struct loader *l, const struct bootspec *b, struct err *err)
{
	_free_ char *image = NULL;
	int rc = b->etc_basedir ? store_files_missing(l->files, b->etc_basedir, err) : 0;

	l->sys.etc_overlay = b->etc_basedir;
	if (rc > 0)
		return err_set(err, ERR_FORMAT, "%s/boot.json: its etc_basedir %s does not exist",
		               l->sys.toplevel, b->etc_basedir);
	return rc < 0 ? rc : named_file(l, "etc_metadata_image", b->etc_image, &image, err);
}

/* 0, 1: it has no boot.json of version 1, or -ERR_*. */
static int from_bootspec(struct loader *l, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	_cleanup_(bootspec_fini) struct bootspec b = {0};
	_free_ char *end = NULL;
	int rc = read_inside(l, "boot.json", BOOTSPEC_BYTES_MAX, &text, err);

	if (rc == 0)
		rc = bootspec_parse(buf_str(&text).p, text.n, &b, err);
	if (rc == -ERR_NOENT || rc == -ERR_UNSUPPORTED)
		return 1;
	if (rc < 0)
		return err_prefix(err, "%s", l->sys.toplevel);
	rc = check_identity(l, &b, err);
	if (rc < 0)
		return rc;
	rc = named_file(l, "init", b.init, &end, err);
	if (rc == 0)
		rc = named_file(l, "kernel", b.kernel, &l->sys.kernel, err);
	if (rc == 0)
		rc = named_file(l, "initrd", b.initrd, &l->sys.initrd, err);
	if (rc == 0)
		rc = check_etc(l, &b, err);
	if (rc < 0)
		return rc;
	l->sys.init = take(&b.init);
	l->sys.label = take(&b.label);
	l->sys.system = take(&b.system);
	l->sys.params = take(&b.params);
	l->sys.nparams = b.nparams;
	b.nparams = 0;
	return 0;
}

/* The file that toplevel/name links to; NULL where there is none. */
static int linked_file(struct loader *l, const char *name, char **out, struct err *err)
{
	_free_ char *path = xasprintf("%s/%s", l->sys.toplevel, name);
	int rc = store_files_missing(l->files, path, err);

	/* A dangling link is an error, a missing one is not. */
	if (rc)
		return rc < 0 ? rc : 0;
	return store_files_find(l->files, path, out, err);
}

static int read_params(struct loader *l, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	size_t cap = 0;
	struct str rest;
	int rc = read_inside(l, "kernel-params", PARAMS_SIZE_MAX, &text, err);

	if (rc < 0 && rc != -ERR_NOENT)
		return rc;
	rest = str_trim(buf_str(&text));
	while (rest.p) {
		struct str param = str_cut(&rest, ' ');

		if (!param.n)
			continue;
		if (!bootspec_text_valid(param))
			return err_set(err, ERR_FORMAT,
			               "%s/kernel-params: contains control characters",
			               l->sys.toplevel);
		GROW(l->sys.params, l->sys.nparams, cap);
		l->sys.params[l->sys.nparams++] = xstrndup(param.p, param.n);
	}
	return 0;
}

static int from_files(struct loader *l, struct err *err)
{
	int rc = linked_file(l, "kernel", &l->sys.kernel, err);

	if (rc == 0)
		rc = linked_file(l, "initrd", &l->sys.initrd, err);
	if (rc == 0)
		rc = read_params(l, err);
	if (rc == 0)
		rc = read_line(l, "system", &l->sys.system, err);
	if (rc < 0)
		return rc;
	l->sys.init = xasprintf("%s/init", l->sys.toplevel);
	l->sys.label = xasprintf("NixOS%s%s", *l->sys.version ? " " : "", l->sys.version);
	return 0;
}

/* NixOS before nixos-init: links in the system, which the initrd follows. */
static int check_etc_links(struct loader *l, struct err *err)
{
	_free_ char *dir = xasprintf("%s/etc-basedir", l->sys.toplevel);
	_free_ char *image = NULL;
	int rc = l->sys.etc_overlay ? 1 : store_files_missing(l->files, dir, err);

	if (rc)
		return rc < 0 ? rc : 0;
	l->sys.etc_overlay = true;
	return linked_file(l, "etc-metadata-image", &image, err);
}

int nixos_system_load(const char *root, const char *path, struct nixos_system *out, struct err *err)
{
	_cleanup_(store_files_fini) struct store_files files = {0};
	int rc = store_files_host(&files, root, err);

	return rc < 0 ? rc : nixos_system_load_from(&files, path, out, err);
}

int nixos_system_load_from(struct store_files *files, const char *path, struct nixos_system *out,
                           struct err *err)
{
	_cleanup_(loader_fini) struct loader l = {.files = files};
	int rc = find_toplevel(&l, path, err);

	if (rc < 0)
		return rc;
	rc = read_line(&l, "nixos-version", &l.sys.version, err);
	if (rc < 0)
		return rc;
	rc = from_bootspec(&l, err);
	if (rc == 1)
		rc = from_files(&l, err);
	if (rc == 0)
		rc = check_etc_links(&l, err);
	if (rc < 0)
		return rc;
	*out = l.sys;
	l.sys = (struct nixos_system){0};
	return 0;
}
