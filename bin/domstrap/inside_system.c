/* SPDX-License-Identifier: MIT */
/* One system in the guest's store. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/show.h"
#include "inside.h"
#include "nix/bootspec.h"
#include "nix/store_path.h"

#define LINE_MAX_BYTES 256u
#define PARAMS_MAX_BYTES 65536u
#define SPECIALS_MAX 1000u

void inside_system_fini(struct inside_system *s)
{
	for (size_t i = 0; i < s->n_specials; i++) {
		inside_system_fini(&s->specials[i].system);
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
	*s = (struct inside_system){0};
}

/* A file of the system, missing or longer than it may be: "". */
static char *line(struct ext4_edit *e, const char *toplevel, const char *name, size_t limit)
{
	_free_ char *path = xasprintf("%s/%s", toplevel, name);
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	struct err ignored = ERR_INIT;
	struct str s;

	if (ext4_edit_read_path(e, path, limit, &b, &ignored) < 0)
		return xstrdup("");
	s = str_trim(buf_str(&b));
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return xstrdup("");
	return xstrndup(s.p, s.n);
}

/* A file that lies in the store once links are followed; NULL: there is none. */
static char *store_file(struct ext4_edit *e, const char *path)
{
	_free_ char *real = NULL;
	struct err ignored = ERR_INIT;
	struct store_path sp;
	struct ext4_stat st;
	struct str rest;
	uint32_t ino;

	if (ext4_edit_resolve(e, path, &ino, &real, &ignored) < 0 ||
	    ext4_edit_stat(e, ino, &st, &ignored) < 0 || st.type != EXT4_FT_FILE ||
	    store_path_split(str_from(real), &sp, &rest, &ignored) < 0)
		return NULL;
	return take(&real);
}

static char *join(char *const *words, size_t n)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, "");
	for (size_t i = 0; i < n; i++)
		buf_putf(&b, "%s%s", i ? " " : "", words[i]);
	return buf_steal(&b);
}

/* false: it has no boot.json that we understand. */
static bool from_bootspec(struct ext4_edit *e, struct inside_system *s)
{
	_free_ char *path = xasprintf("%s/boot.json", s->toplevel);
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	_cleanup_(bootspec_fini) struct bootspec b = {0};
	struct err ignored = ERR_INIT;

	if (ext4_edit_read_path(e, path, BOOTSPEC_BYTES_MAX, &text, &ignored) < 0 ||
	    bootspec_parse(buf_str(&text).p, text.n, &b, &ignored) < 0 ||
	    strcmp(b.toplevel, s->toplevel) != 0)
		return false;
	s->init = take(&b.init);
	s->params = join(b.params, b.nparams);
	s->kernel = b.kernel ? store_file(e, b.kernel) : NULL;
	s->initrd = b.initrd ? store_file(e, b.initrd) : NULL;
	s->broken = (b.kernel && !s->kernel) || (b.initrd && !s->initrd);
	return true;
}

static void from_files(struct ext4_edit *e, struct inside_system *s)
{
	_free_ char *kernel = xasprintf("%s/kernel", s->toplevel);
	_free_ char *initrd = xasprintf("%s/initrd", s->toplevel);

	s->init = xasprintf("%s/init", s->toplevel);
	s->params = line(e, s->toplevel, "kernel-params", PARAMS_MAX_BYTES);
	s->kernel = store_file(e, kernel);
	s->initrd = store_file(e, initrd);
}

/* What lib/modules is called, else what the kernel's store path is called. */
static char *kernel_version(struct ext4_edit *e, const struct inside_system *s)
{
	_free_ char *modules = xasprintf("%s/kernel-modules/lib/modules", s->toplevel);
	struct err ignored = ERR_INIT;
	const struct ext4_entry *v;
	struct store_path sp;
	struct str rest;
	uint32_t ino;
	size_t n;

	if (ext4_edit_find(e, modules, true, &ino, &ignored) == 0 &&
	    ext4_edit_list(e, ino, &v, &n, &ignored) == 0 && n)
		return xstrdup(v[0].name);
	if (!s->kernel || store_path_split(str_from(s->kernel), &sp, &rest, &ignored) < 0 ||
	    !str_starts(sp.name, "linux-"))
		return xstrdup("");
	sp.name = str_drop(sp.name, strlen("linux-"));
	return xstrndup(sp.name.p, sp.name.n);
}

static int load_one(struct ext4_edit *e, const char *toplevel, struct inside_system *s)
{
	_free_ char *init = NULL;

	s->toplevel = xstrdup(toplevel);
	s->version = line(e, toplevel, "nixos-version", LINE_MAX_BYTES);
	s->name = line(e, toplevel, "configuration-name", LINE_MAX_BYTES);
	if (!from_bootspec(e, s))
		from_files(e, s);
	init = store_file(e, s->init);
	s->broken = s->broken || !init;
	s->kernel_version = kernel_version(e, s);
	return 0;
}

static int load_special(struct ext4_edit *e, const char *toplevel, const char *name,
                        struct inside_special *out)
{
	_free_ char *path = xasprintf("%s/specialisation/%s", toplevel, name);
	_free_ char *real = NULL;
	struct err ignored = ERR_INIT;
	struct store_path sp;
	uint32_t ino;

	out->name = xstrdup(name);
	if (ext4_edit_resolve(e, path, &ino, &real, &ignored) < 0 ||
	    store_path_parse(str_from(real), &sp, &ignored) < 0)
		return 1;
	return load_one(e, real, &out->system);
}

int inside_system_load(struct ext4_edit *e, const char *toplevel, struct inside_system *out,
                       struct err *err)
{
	_free_ char *path = xasprintf("%s/specialisation", toplevel);
	struct err ignored = ERR_INIT;
	const struct ext4_entry *v;
	uint32_t dir;
	size_t n;

	*out = (struct inside_system){0};
	load_one(e, toplevel, out);
	if (ext4_edit_find(e, path, true, &dir, &ignored) < 0 ||
	    ext4_edit_list(e, dir, &v, &n, &ignored) < 0)
		return 0;
	if (n > SPECIALS_MAX)
		return err_set(err, ERR_LIMIT, "%s: %zu specialisations, %u at most", toplevel, n,
		               SPECIALS_MAX);
	out->specials = xcalloc(n, sizeof *out->specials);
	for (size_t i = 0; i < n; i++) {
		struct inside_special *sp = &out->specials[out->n_specials];

		if (ext4_edit_list(e, dir, &v, &n, &ignored) < 0)
			break;
		if (load_special(e, toplevel, v[i].name, sp) == 0) {
			out->n_specials++;
			continue;
		}
		inside_system_fini(&sp->system);
		free(take(&sp->name));
	}
	return 0;
}
