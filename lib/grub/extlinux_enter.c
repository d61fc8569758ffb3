/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/boot.h"
#include "grub/context.h"
#include "grub/device.h"
#include "grub/extlinux.h"
#include "grub/extlinux_enter.h"
#include "grub/texts.h"

#include <string.h>
#include <strings.h>

void extlinux_path(const struct grub_menu *m, struct str name, struct buf *path)
{
	_cleanup_(buf_fini) struct buf full = BUF_INIT;
	const char *base = m->context->base;
	struct str dir = base ? str_from(base) : dir_of(str_from(m->path));

	if (!str_starts(name, "/"))
		buf_putf(&full, "%.*s/", STR_ARG(dir));
	buf_put(&full, name.p, name.n);
	path_tidy(buf_str(&full), path);
}

/* The first word, and the next one if it ends in a comma. What follows are kernel arguments. */
static struct str cut_initrds(struct str *rest)
{
	struct str list = *rest, word;

	do {
		word = extlinux_cut(rest);
	} while (rest->n && str_ends(word, ","));
	list.n = (size_t)(word.p + word.n - list.p);
	return list;
}

struct extlinux_body extlinux_body(struct str text)
{
	struct extlinux_body b = {.kind = EXT_NONE};
	enum extlinux_word word;
	struct str rest, line;

	while (extlinux_line(&text, &word, &rest, &line)) {
		if (word == EXT_LINUX || word == EXT_KERNEL || word == EXT_CONFIG) {
			b.kind = word;
			b.kernel = extlinux_cut(&rest);
			b.kernel_args = rest;
		} else if (word == EXT_REFUSED || word == EXT_COM32) {
			b.kind = EXT_REFUSED;
			b.refused = line;
		} else if (word == EXT_INITRD) {
			b.initrds = cut_initrds(&rest);
			b.initrd_args = rest;
		} else if (word == EXT_APPEND) {
			b.append = rest;
		}
	}
	return b;
}

static int set_file(struct grub_menu *m, struct str name, bool kernel, struct grub_boot *boot,
                    struct err *err)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	struct grub_files *files = m->context->files;
	struct file_base base = {files, str_from(files->devices[m->dev].name), 1, m->dev};

	extlinux_path(m, name, &path);
	return kernel ? boot_set_kernel(boot, &base, buf_str(&path), err)
	              : boot_add_initrd(boot, &base, buf_str(&path), err);
}

static int set_initrds(struct grub_menu *m, struct str list, struct grub_boot *boot,
                       struct err *err)
{
	int rc = 0;

	while (rc == 0 && list.p) {
		struct str one = str_trim(str_cut(&list, ','));

		if (!one.n)
			continue;
		if (boot->initrd_count >= m->context->limits->initrds)
			return err_set(err, ERR_LIMIT, "more than %zu initrds",
			               m->context->limits->initrds);
		rc = set_file(m, one, false, boot, err);
	}
	return rc;
}

/* The arguments; without an INITRD line, an initrd= among them is taken out. */
static void put_args(struct buf *out, struct str args, struct str *initrds)
{
	while (args.n) {
		struct str word = extlinux_cut(&args);

		if (!initrds->n && str_starts(word, "initrd=")) {
			*initrds = str_drop(word, 7);
			continue;
		}
		if (out->n)
			buf_puts(out, " ");
		buf_put(out, word.p, word.n);
	}
}

bool extlinux_suffix(struct str name, const char *suffix)
{
	size_t n = strlen(suffix);

	return name.n >= n && strncasecmp(name.p + name.n - n, suffix, n) == 0;
}

/* A KERNEL that is a program of syslinux's own. */
static bool is_program(struct str name)
{
	static const char *const suffixes[] = {".c32", ".com", ".cbt", ".bss",
	                                       ".bs",  ".bin", ".0",   ".img"};

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (extlinux_suffix(name, suffixes[i]))
			return true;
	return false;
}

/* The directory of that name; as in SYSLINUX, a missing one is ignored. */
static void find_base(const struct grub_menu *m, struct str name, struct buf *out)
{
	_cleanup_(buf_fini) struct buf named = BUF_INIT;
	struct grub_files *files = m->context->files;
	struct grub_stat st;
	struct err ignored;

	extlinux_path(m, name, &named);
	if (name.n && files->ops->stat(files, m->dev, buf_str(&named), &st, &ignored) == 0 &&
	    st.kind == GRUB_DIR)
		buf_put(out, named.p, named.n);
	else
		extlinux_path(m, STR("."), out);
}

/* Paths in the new menu are relative to "base" if it is given, else as in the menu before. */
int extlinux_open(struct grub_menu *m, struct str name, struct str base, struct grub_menu **next,
                  struct err *err)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT, text = BUF_INIT, dir = BUF_INIT;
	_cleanup_(grub_menu_freep) struct grub_menu *config = NULL;
	struct grub_context *c = m->context;
	int rc;

	extlinux_path(m, name, &path);
	find_base(m, extlinux_cut(&base), &dir);
	rc = c->files->ops->read(c->files, m->dev, buf_str(&path), c->limits->config, &text, err);
	if (rc == 0) {
		config = menu_new(GRUB_EXTLINUX, c->files, c->limits, m->dev, buf_str(&path));
		config->context->base = buf_steal(&dir);
		rc = extlinux_load(config, buf_str(&text), err);
	}
	if (rc < 0)
		return err_prefix(err, "(%s)%s", c->files->devices[m->dev].name, path.p);
	*next = take(&config);
	return 1;
}

static int open_submenu(struct grub_menu *m, const struct grub_entry *e, struct str body,
                        struct grub_menu **next, struct err *err)
{
	_cleanup_(grub_menu_freep) struct grub_menu *sub = NULL;
	int rc;

	sub = menu_new(GRUB_EXTLINUX, m->context->files, m->context->limits, m->dev,
	               str_from(m->path));
	sub->part = true;
	if (m->context->base)
		sub->context->base = xstrdup(m->context->base);
	if (e == &m->entries[grub_menu_default(m)]) /* where DEFAULT names a label below */
		set_text(&sub->default_, menu_spec_rest(str_from(m->default_)));
	rc = extlinux_load(sub, body, err);
	if (rc < 0)
		return rc;
	set_text(&sub->title, str_from(e->title));
	sub->timeout = GRUB_WAIT;
	*next = take(&sub);
	return 1;
}

static int boot_body(struct grub_menu *m, struct extlinux_body *b, struct grub_boot *boot,
                     struct err *err)
{
	struct buf args = BUF_INIT;
	int rc = set_file(m, b->kernel, true, boot, err);

	put_args(&args, b->kernel_args, &b->initrds);
	put_args(&args, b->append, &b->initrds);
	put_args(&args, b->initrd_args, &b->initrds);
	put_args(&args, b->more, &b->initrds);
	boot->args = buf_steal(&args);
	return rc < 0 ? rc : set_initrds(m, b->initrds, boot, err);
}

int extlinux_enter(struct grub_menu *m, const struct grub_entry *e, struct str body,
                   struct grub_boot *boot, struct grub_menu **next, struct err *err)
{
	struct extlinux_body b = extlinux_body(body);
	int rc = 0;

	if (!m->context->files->device_count)
		return err_set(err, ERR_NOENT, "no disks to search");
	if (e->submenu)
		return open_submenu(m, e, body, next, err);
	if (b.kind == EXT_KERNEL && extlinux_suffix(b.kernel, ".c32"))
		rc = extlinux_module(m, &b, next, err);
	if (rc)
		return rc;
	if (b.kind == EXT_CONFIG)
		return extlinux_open(m, b.kernel, b.kernel_args.n ? b.kernel_args : b.append, next,
		                     err);
	if (b.kind == EXT_REFUSED || (b.kind == EXT_KERNEL && is_program(b.kernel)))
		return err_set(err, ERR_UNSUPPORTED,
		               "the entry boots by \"%.*s\"; a Xen guest needs a Linux kernel",
		               STR_ARG(b.kind == EXT_REFUSED ? b.refused : b.kernel));
	if (b.kind == EXT_NONE || !b.kernel.n)
		return err_set(err, ERR_FORMAT, "the entry names no kernel");
	return boot_body(m, &b, boot, err);
}
