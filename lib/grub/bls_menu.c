/* SPDX-License-Identifier: MIT */
/*
 * Boot Loader Specification entries as a menu of their own, systemd-boot's way: files in
 * loader/entries and unified kernel images in EFI/Linux.
 */
#include "base/mem.h"
#include "grub/bls.h"
#include "grub/blsdir.h"
#include "grub/boot.h"
#include "grub/context.h"
#include "grub/device.h"
#include "grub/texts.h"
#include "grub/uki.h"
#include "grub/vercmp.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

static void set_timeout(struct grub_menu *m, struct str value)
{
	uint64_t seconds;

	if (str_u64(value, 10, INT_MAX / 1000, &seconds))
		m->timeout = (long)seconds * 1000;
	else if (str_is(value, "menu-force"))
		m->timeout = GRUB_WAIT;
	else if (str_is(value, "menu-hidden"))
		m->timeout = 0;
	m->style = m->timeout ? GRUB_STYLE_MENU : GRUB_STYLE_HIDDEN;
}

/* The entry that a pattern matches. Whole file names come first, as in systemd-boot. */
static bool find_default(const struct grub_menu *m, const struct bls_entries *all,
                         struct str pattern, bool good, size_t *entry)
{
	for (size_t pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < m->n; i++) {
			struct str name = str_from(all->v[i].key);

			if (good && all->v[i].left == 0)
				continue;
			/* Without ".conf", as it was before version 246. */
			name.n -= pass && blsdir_is_conf(name, true) ? strlen(".conf") : 0;
			if (glob_matches(pattern, name)) {
				*entry = i;
				return true;
			}
		}
	return false;
}

struct settings {
	struct buf preferred, default_;
};

static void settings_fini(struct settings *s)
{
	buf_fini(&s->preferred);
	buf_fini(&s->default_);
}

/* "preferred" passes over entries that have no tries left, "default" does not. */
static void set_default(struct grub_menu *m, const struct bls_entries *all,
                        const struct settings *s)
{
	_cleanup_(buf_fini) struct buf number = BUF_INIT;
	size_t i = 0;

	if (s->preferred.n && find_default(m, all, buf_str(&s->preferred), true, &i)) {
		buf_putf(&number, "%zu", i);
	} else if (s->default_.n && find_default(m, all, buf_str(&s->default_), false, &i)) {
		buf_putf(&number, "%zu", i);
	} else if (m->n && (s->preferred.n || s->default_.n)) {
		menu_warn(m, "loader.conf: no entry matches \"%s\"",
		          s->default_.n ? s->default_.p : s->preferred.p);
		return;
	}
	if (number.n)
		set_text(&m->default_, buf_str(&number));
}

/* A pattern in lower case. "@saved" is an EFI variable, which these guests do not have. */
static void set_pattern(struct buf *to, struct str pattern)
{
	buf_reset(to);
	if (str_starts(pattern, "@"))
		return;
	buf_put(to, pattern.p, pattern.n);
	for (size_t i = 0; i < to->n; i++)
		if (to->p[i] >= 'A' && to->p[i] <= 'Z')
			to->p[i] = (char)(to->p[i] - 'A' + 'a');
}

/* loader.conf is beside the entries, or on the ESP if the entries are on another partition. */
static void read_settings_file(struct grub_menu *m, struct buf *text)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	struct grub_files *files = m->context->files;
	size_t limit = m->context->limits->config;
	struct err ignored;

	buf_putf(&path, "%s/loader.conf", m->path);
	if (files->ops->read(files, m->dev, buf_str(&path), limit, text, &ignored) == 0)
		return;
	for (size_t i = 0; i < files->device_count; i++)
		if (files->ops->read(files, i, STR("/loader/loader.conf"), limit, text, &ignored) ==
		    0)
			return;
}

/* systemd-boot's own settings; without them it boots the first entry at once. */
static void read_settings(struct grub_menu *m, struct settings *s)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct str rest;

	m->timeout = 0;
	m->style = GRUB_STYLE_HIDDEN;
	read_settings_file(m, &text);
	rest = buf_str(&text);
	while (rest.p) {
		struct str line = str_trim(str_cut(&rest, '\n')), key = line, value;

		for (key.n = 0; key.n < line.n && !strchr(" \t", line.p[key.n]);)
			key.n++;
		value = bls_unquoted(str_trim(str_drop(line, key.n)));
		if (str_is(key, "timeout"))
			set_timeout(m, value);
		else if (str_is(key, "default"))
			set_pattern(&s->default_, value);
		else if (str_is(key, "preferred"))
			set_pattern(&s->preferred, value);
	}
}

/* "\EFI\x" and "EFI/x" are "/EFI/x" to systemd-boot. */
static void put_path(struct buf *out, const char *name)
{
	if (*name != '/' && *name != '\\')
		buf_puts(out, "/");
	for (; *name; name++)
		buf_put(out, *name == '\\' ? "/" : name, 1);
}

/* A file as the entry names it, or below /boot if /boot is not a file system of its own. */
static int find(struct grub_menu *m, const char *name, bool kernel, struct grub_boot *boot,
                struct err *err)
{
	int (*set)(struct grub_boot *, const struct file_base *, struct str, struct err *) =
	        kernel ? boot_set_kernel : boot_add_initrd;
	struct grub_files *files = m->context->files;
	struct file_base base = {files, str_from(files->devices[m->dev].name), 1, m->dev};
	_cleanup_(buf_fini) struct buf path = BUF_INIT, below = BUF_INIT;
	struct err ignored;
	int rc;

	put_path(&path, name);
	rc = set(boot, &base, buf_str(&path), err);
	if (rc == 0 || !str_starts(str_from(m->path), "/boot/"))
		return rc;
	buf_putf(&below, "/boot%s", path.p);
	return set(boot, &base, buf_str(&below), &ignored) == 0 ? 0 : rc;
}

/* Whether the EFI program is a unified kernel image. */
static bool has_kernel(struct grub_menu *m, const struct bls_entry *e,
                       const struct grub_boot_file *program)
{
	struct err why = ERR_INIT;
	struct uki u;
	int rc = uki_read(m->context->files, program->dev, str_from(program->path), &u, &why);

	if (rc < 0)
		menu_warn(m, "%s: skipped: %s", e->file, why.text);
	if (rc > 0)
		menu_warn(m,
		          "%s: skipped: it boots the EFI program %s, which is no unified kernel "
		          "image for x86-64; a Xen guest needs a kernel",
		          e->file, e->loader);
	return rc == 0;
}

/* Can the entry be in the menu? If not, it is left out, with a warning that says why. */
static bool can_boot(struct grub_menu *m, const struct bls_entry *e)
{
	_cleanup_(grub_boot_fini) struct grub_boot boot = GRUB_BOOT_INIT;
	struct err why = ERR_INIT;

	if (e->kind == BLS_NONE || !*e->loader) {
		menu_warn(m, "%s: skipped: it names no kernel", e->file);
		return false;
	}
	if (find(m, e->loader, true, &boot, &why) < 0) {
		menu_warn(m, "%s: skipped: %s", e->file, why.text);
		return false;
	}
	return e->kind == BLS_LINUX || has_kernel(m, e, &boot.kernel);
}

static void take_image(struct grub_menu *m, const char *dir, struct str name,
                       struct bls_entries *all)
{
	_free_ char *path = xasprintf("%s/%.*s", dir, STR_ARG(name));
	struct err why = ERR_INIT;
	struct bls_entry e;
	int rc = 1;

	if (strncasecmp(name.p, "auto-", 5) != 0)
		rc = uki_entry(m->context->files, m->dev, str_from(path), name, &e, &why);
	if (rc < 0)
		menu_warn(m, "%.*s: skipped: %s", STR_ARG(name), why.text);
	if (rc)
		return;
	GROW(all->v, all->n, all->cap);
	all->v[all->n++] = e;
}

/* Unified kernel images are in EFI/Linux of the file system that has loader/. */
static void read_images(struct grub_menu *m, struct bls_entries *all)
{
	_free_ char *dir = uki_folder(str_from(m->path));
	struct blsdir d = {m->context->files, m->context->limits, m->dev, str_from(dir), true};
	_cleanup_(texts_fini) struct grub_texts names = {0};
	struct err ignored;

	if (blsdir_names(&d, ".efi", &names, &ignored) < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		take_image(m, dir, str_from(names.v[i]), all);
}

/* The entries of the directory that are not left out, in the menu's order. */
static int read_entries(struct grub_menu *m, struct bls_entries *all, struct err *err)
{
	_cleanup_(buf_fini) struct buf dir = BUF_INIT;
	size_t kept = 0;
	int rc;

	buf_putf(&dir, "%s/entries", m->path);
	rc = bls_read_dir(&(struct blsdir){m->context->files, m->context->limits, m->dev,
	                                   buf_str(&dir), true},
	                  all, &m->warnings, err);
	read_images(m, all);
	/* There may be images only. */
	if (err_absent(rc) < 0)
		return rc;
	if (all->n)
		qsort(all->v, all->n, sizeof *all->v, bls_cmp);
	for (size_t i = 0; i < all->n; i++) {
		m->context->grubs = m->context->grubs || all->v[i].grubs;
		if (can_boot(m, &all->v[i]))
			all->v[kept++] = all->v[i];
		else
			bls_fini(&all->v[i]);
	}
	all->n = kept;
	return 0;
}

/*
 * systemd-boot counts only what Linux can be told of by the name of its file: not what an entry
 * boots with "efi".
 */
static bool is_counted(const struct bls_entry *e)
{
	return e->left >= 0 && (e->kind == BLS_LINUX || e->kind == BLS_UKI);
}

static char *file_path(const struct grub_menu *m, const struct bls_entry *e)
{
	_free_ char *images = uki_folder(str_from(m->path));

	return blsdir_is_conf(str_from(e->file), true)
	               ? xasprintf("%s/entries/%s", m->path, e->file)
	               : xasprintf("%s/%s", images, e->file);
}

static int bls_load(struct grub_menu *m, struct str text, struct err *err)
{
	_cleanup_(bls_entries_fini) struct bls_entries all = {.v = NULL};
	_cleanup_(settings_fini) struct settings settings = {.default_ = BUF_INIT};
	_cleanup_(texts_fini) struct grub_texts titles = {0};
	int rc;

	if (!m->context->files->device_count)
		return err_set(
		        err, ERR_UNSUPPORTED,
		        "Boot Loader Specification entries are files in a directory, not one text");
	rc = read_entries(m, &all, err);
	if (rc < 0)
		return rc;
	bls_titles(&all, &titles);
	for (size_t i = 0; i < all.n; i++) {
		struct grub_entry *e = grub_menu_add(m);

		if (!e)
			break;
		set_text(&e->title, str_from(titles.v[i]));
		set_text(&e->id, str_from(all.v[i].id));
		set_text(&e->body, str_from(all.v[i].text));
		if (is_counted(&all.v[i]))
			e->counted = file_path(m, &all.v[i]);
	}
	read_settings(m, &settings);
	set_default(m, &all, &settings);
	return 0;
}

static void entry_cleanup(struct bls_entry *e)
{
	bls_fini(e);
}

/* The entry's options replace those in the image, which are used if there are none. */
static int enter_image(struct grub_menu *m, const struct bls_entry *b, struct grub_boot *boot,
                       struct err *err)
{
	size_t dev = boot->kernel.dev;
	_free_ char *path = take(&boot->kernel.path);

	if (b->options && *b->options)
		boot->args = xstrdup(b->options);
	return uki_boot(m->context->files, dev, str_from(path), boot, err);
}

static int bls_enter(struct grub_menu *m, const struct grub_entry *e, struct str body,
                     struct grub_boot *boot, struct grub_menu **next, struct err *err)
{
	_cleanup_(entry_cleanup) struct bls_entry b;
	int rc;

	bls_parse(str_from(e->id), body, &b);
	if (e->counted)
		boot->counted = (struct grub_counted){m->dev, xstrdup(e->counted)};
	if (b.kind == BLS_NONE)
		return err_set(err, ERR_FORMAT, "the entry names no kernel");
	if (b.initrds.n > m->context->limits->initrds)
		return err_set(err, ERR_LIMIT, "%zu initrds, more than the limit of %zu",
		               b.initrds.n, m->context->limits->initrds);
	rc = find(m, b.loader, true, boot, err);
	if (rc == 0 && b.kind != BLS_LINUX)
		return enter_image(m, &b, boot, err);
	for (size_t i = 0; rc == 0 && i < b.initrds.n; i++)
		rc = find(m, b.initrds.v[i], false, boot, err);
	if (rc == 0)
		boot->args = xstrdup(b.options ? b.options : "");
	return rc;
}

const struct dialect dialect_bls = {"Boot Loader Specification", bls_load, bls_enter};
