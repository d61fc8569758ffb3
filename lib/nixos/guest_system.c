/* SPDX-License-Identifier: MIT */
/* One system in the guest's store. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/show.h"
#include "nix/bootspec.h"
#include "nix/store_path.h"
#include "nixos/guest_fs.h"
#include "nixos/guest_state.h"

#define LINE_MAX_BYTES 256u
#define PARAMS_MAX_BYTES 65536u
#define SPECIALS_MAX 1000u

void guest_system_fini(struct guest_system *s)
{
	for (size_t i = 0; i < s->n_specials; i++) {
		guest_system_fini(&s->specials[i].system);
		free(s->specials[i].name);
	}
	free(s->specials);
	free(s->toplevel);
	free(s->init);
	free(s->kernel);
	free(s->initrd);
	free(s->params);
	free(s->version);
	free(s->name);
	free(s->kernel_version);
	*s = (struct guest_system){0};
}

/* A file of the system; "" where it has none, or where it is no line of text. */
static int line(struct off_guest_fs *fs, const char *toplevel, const char *name, size_t limit,
                char **out, struct err *err)
{
	_free_ char *path = xasprintf("%s/%s", toplevel, name);
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	struct str s;
	int rc = err_absent(guest_fs_read_path(fs, path, limit, &b, err));

	if (rc < 0)
		return rc;
	s = str_trim(buf_str(&b));
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			s.n = 0;
	*out = xstrndup(s.n ? s.p : "", s.n);
	return 0;
}

/* A file that lies in the store once links are followed; *out stays NULL where there is none. */
static int store_file(struct off_guest_fs *fs, const char *path, char **out, struct err *err)
{
	_free_ char *real = NULL;
	struct ext4_stat st = {.type = 0};
	struct store_path sp;
	struct str rest;
	uint32_t ino;
	int rc = err_absent(guest_fs_resolve(fs, path, &ino, &real, err));

	if (rc == 0)
		rc = guest_fs_stat(fs, ino, &st, err);
	if (rc < 0)
		return rc;
	if (st.type == EXT4_FT_FILE && store_path_is_in(str_from(real), &sp, &rest))
		*out = take(&real);
	return 0;
}

static char *join(char *const *words, size_t n)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, "");
	for (size_t i = 0; i < n; i++)
		buf_putf(&b, "%s%s", i ? " " : "", words[i]);
	return buf_steal(&b);
}

/* 0, 1: it has no boot.json that says so, or -ERR_*. */
static int read_bootspec(struct off_guest_fs *fs, const char *toplevel, struct bootspec *out,
                         struct err *err)
{
	_free_ char *path = xasprintf("%s/boot.json", toplevel);
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	int rc = err_absent(guest_fs_read_path(fs, path, BOOTSPEC_BYTES_MAX, &text, err));

	if (rc)
		return rc;
	rc = bootspec_parse(buf_str(&text).p, text.n, out, err);
	/* A boot.json that we do not understand is not an error; NixOS's menus do not need it. */
	if (rc == -ERR_FORMAT || rc == -ERR_UNSUPPORTED)
		return 1;
	if (rc < 0)
		return rc;
	return strcmp(out->toplevel, toplevel) != 0;
}

/*
 * The parts of an overlay, those that boot.json names, or links in the system: what is missing
 * makes the system broken.
 */
static int find_etc(struct off_guest_fs *fs, const struct bootspec *b, struct guest_system *s,
                    struct err *err)
{
	bool linked = !b->etc_basedir && !b->etc_image;
	_free_ char *link_dir = xasprintf("%s/etc-basedir", s->toplevel);
	_free_ char *link_image = xasprintf("%s/etc-metadata-image", s->toplevel);
	const char *dir = linked ? link_dir : b->etc_basedir;
	const char *image = linked ? link_image : b->etc_image;
	_free_ char *found = NULL;
	uint32_t ino;
	int rc = 0;

	if (linked) {
		/* NixOS before nixos-init. */
		rc = err_absent(guest_fs_find(fs, link_dir, false, &ino, err));
		if (rc)
			return rc < 0 ? rc : 0;
	}
	s->etc_overlay = true;
	if (dir)
		rc = err_absent(guest_fs_find(fs, dir, true, &ino, err));
	s->broken = s->broken || rc == 1;
	if (rc >= 0 && image)
		rc = store_file(fs, image, &found, err);
	s->broken = s->broken || (image && !found);
	return rc < 0 ? rc : 0;
}

static int from_bootspec(struct off_guest_fs *fs, const struct bootspec *b, struct guest_system *s,
                         struct err *err)
{
	int rc = b->kernel ? store_file(fs, b->kernel, &s->kernel, err) : 0;

	if (rc == 0 && b->initrd)
		rc = store_file(fs, b->initrd, &s->initrd, err);
	s->init = xstrdup(b->init);
	s->params = join(b->params, b->nparams);
	s->broken = (b->kernel && !s->kernel) || (b->initrd && !s->initrd);
	return rc;
}

static int from_files(struct off_guest_fs *fs, struct guest_system *s, struct err *err)
{
	_free_ char *kernel = xasprintf("%s/kernel", s->toplevel);
	_free_ char *initrd = xasprintf("%s/initrd", s->toplevel);
	int rc = line(fs, s->toplevel, "kernel-params", PARAMS_MAX_BYTES, &s->params, err);

	s->init = xasprintf("%s/init", s->toplevel);
	if (rc == 0)
		rc = store_file(fs, kernel, &s->kernel, err);
	return rc < 0 ? rc : store_file(fs, initrd, &s->initrd, err);
}

/* The version in the name of the kernel's store path; "" if it has none. */
static char *version_of(const char *kernel)
{
	struct store_path sp;
	struct str rest;

	if (!kernel || !store_path_is_in(str_from(kernel), &sp, &rest) ||
	    !str_starts(sp.name, "linux-"))
		return xstrdup("");
	sp.name = str_drop(sp.name, strlen("linux-"));
	return xstrndup(sp.name.p, sp.name.n);
}

/* The version from lib/modules, else from the name of the kernel's store path. */
static int kernel_version(struct off_guest_fs *fs, struct guest_system *s, struct err *err)
{
	_free_ char *modules = xasprintf("%s/kernel-modules/lib/modules", s->toplevel);
	const struct ext4_entry *v;
	uint32_t ino;
	size_t n = 0;
	int rc = guest_fs_find(fs, modules, true, &ino, err);

	if (rc == 0)
		rc = guest_fs_list(fs, ino, &v, &n, err);
	rc = err_absent(rc);
	if (rc < 0)
		return rc;
	s->kernel_version = n ? xstrdup(v[0].name) : version_of(s->kernel);
	return 0;
}

static int load_parts(struct off_guest_fs *fs, struct guest_system *s, struct err *err)
{
	_cleanup_(bootspec_fini) struct bootspec b = {0};
	_free_ char *init = NULL;
	int rc = line(fs, s->toplevel, "nixos-version", LINE_MAX_BYTES, &s->version, err);

	if (rc == 0)
		rc = line(fs, s->toplevel, "configuration-name", LINE_MAX_BYTES, &s->name, err);
	if (rc == 0)
		rc = read_bootspec(fs, s->toplevel, &b, err);
	if (rc >= 0)
		rc = rc == 0 ? from_bootspec(fs, &b, s, err) : from_files(fs, s, err);
	if (rc == 0)
		rc = find_etc(fs, &b, s, err);
	if (rc == 0)
		rc = store_file(fs, s->init, &init, err);
	s->broken = s->broken || !init;
	return rc < 0 ? rc : kernel_version(fs, s, err);
}

static int load_one(struct off_guest_fs *fs, const char *toplevel, struct guest_system *s,
                    struct err *err)
{
	int rc;

	s->toplevel = xstrdup(toplevel);
	rc = load_parts(fs, s, err);
	return rc < 0 ? err_prefix(err, "%s", toplevel) : 0;
}

/* 0, 1: it leads to no system, or -ERR_*. */
static int load_special(struct off_guest_fs *fs, const char *toplevel, const char *name,
                        struct guest_special *out, struct err *err)
{
	_free_ char *path = xasprintf("%s/specialisation/%s", toplevel, name);
	_free_ char *real = NULL;
	struct store_path sp;
	uint32_t ino;
	int rc = err_absent(guest_fs_resolve(fs, path, &ino, &real, err));

	if (rc)
		return rc;
	if (!store_path_is(str_from(real), &sp))
		return 1;
	out->name = xstrdup(name);
	return load_one(fs, real, &out->system, err);
}

/* The names first: loading reads more directories. */
static int special_names(struct off_guest_fs *fs, const char *toplevel, char ***names, size_t *n,
                         struct err *err)
{
	_free_ char *path = xasprintf("%s/specialisation", toplevel);
	const struct ext4_entry *v;
	uint32_t dir;
	size_t count = 0;
	int rc = guest_fs_find(fs, path, true, &dir, err);

	if (rc == 0)
		rc = guest_fs_list(fs, dir, &v, &count, err);
	rc = err_absent(rc);
	if (rc)
		return rc < 0 ? rc : 0;
	if (count > SPECIALS_MAX)
		return err_set(err, ERR_LIMIT, "%s: %zu specialisations, more than the limit of %u",
		               toplevel, count, SPECIALS_MAX);
	*names = xcalloc(count + 1, sizeof **names);
	for (*n = 0; *n < count; ++*n)
		(*names)[*n] = xstrdup(v[*n].name);
	return 0;
}

int guest_system_load(struct off_guest_fs *fs, const char *toplevel, struct guest_system *out,
                      struct err *err)
{
	_free_ char **names = NULL;
	size_t n = 0;
	int rc;

	*out = (struct guest_system){0};
	rc = load_one(fs, toplevel, out, err);
	if (rc == 0)
		rc = special_names(fs, toplevel, &names, &n, err);
	if (n)
		out->specials = xcalloc(n, sizeof *out->specials);
	for (size_t i = 0; i < n; i++) {
		struct guest_special *sp = &out->specials[out->n_specials];

		if (rc >= 0)
			rc = load_special(fs, toplevel, names[i], sp, err);
		out->n_specials += sp->name != NULL;
		free(names[i]);
	}
	return rc < 0 ? rc : 0;
}
