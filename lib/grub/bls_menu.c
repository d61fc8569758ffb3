/* SPDX-License-Identifier: MIT */
/* Boot Loader Specification entries as a menu of their own, systemd-boot's way. */
#include "base/mem.h"
#include "grub/bls.h"
#include "grub/boot.h"
#include "grub/context.h"
#include "grub/device.h"
#include "grub/texts.h"
#include "grub/vercmp.h"

#include <limits.h>
#include <string.h>

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

/* The entry that a pattern means: the first whose id, or file name, it matches. */
static void set_default(struct grub_menu *m, struct str pattern)
{
	for (size_t i = 0; i < m->n; i++) {
		_cleanup_(buf_fini) struct buf file = BUF_INIT;

		buf_putf(&file, "%s.conf", m->entries[i].id);
		if (glob_matches(pattern, buf_str(&file)) ||
		    glob_matches(pattern, str_from(m->entries[i].id))) {
			buf_reset(&file);
			buf_putf(&file, "%zu", i);
			set_text(&m->default_, buf_str(&file));
			return;
		}
	}
	menu_warn(m, "loader.conf: no entry matches \"%.*s\"", STR_ARG(pattern));
}

/* systemd-boot's own settings; without them it boots the first entry at once. */
static void read_settings(struct grub_menu *m)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT, text = BUF_INIT;
	struct grub_files *files = m->context->files;
	struct err ignored;
	struct str rest;

	m->timeout = 0;
	m->style = GRUB_STYLE_HIDDEN;
	buf_putf(&path, "%s/loader.conf", m->path);
	if (files->ops->read(files, m->dev, buf_str(&path), m->context->limits->config, &text,
	                     &ignored) < 0)
		return;
	rest = buf_str(&text);
	while (rest.p) {
		struct str line = str_trim(str_cut(&rest, '\n')), key = line;

		for (key.n = 0; key.n < line.n && !strchr(" \t", line.p[key.n]);)
			key.n++;
		line = str_trim(str_drop(line, key.n));
		if (str_is(key, "timeout"))
			set_timeout(m, line);
		else if (str_is(key, "default") && !str_starts(line, "@"))
			set_default(m, line);
	}
}

static int bls_load(struct grub_menu *m, struct str text, struct err *err)
{
	_cleanup_(bls_entries_fini) struct bls_entries all = {.v = NULL};
	_cleanup_(buf_fini) struct buf dir = BUF_INIT;
	int rc;

	if (!m->context->files->device_count)
		return err_set(err, ERR_UNSUPPORTED, "BLS entries are files, not a text");
	buf_putf(&dir, "%s/entries", m->path);
	rc = bls_read_dir(m->context->files, m->context->limits, m->dev, buf_str(&dir), &all,
	                  &m->warnings, err);
	if (rc < 0)
		return rc;
	if (all.n)
		qsort(all.v, all.n, sizeof *all.v, bls_cmp);
	for (size_t i = 0; i < all.n; i++) {
		_cleanup_(buf_fini) struct buf title = BUF_INIT;
		struct grub_entry *e = grub_menu_add(m);

		if (!e)
			break;
		bls_title(&all, &all.v[i], &title);
		set_text(&e->title, buf_str(&title));
		set_text(&e->id, str_from(all.v[i].id));
		set_text(&e->body, str_from(all.v[i].text));
	}
	read_settings(m);
	return 0;
}

/* "\EFI\x" and "EFI/x" are "/EFI/x" to systemd-boot. */
static void put_path(struct buf *out, const char *name)
{
	if (*name != '/' && *name != '\\')
		buf_puts(out, "/");
	for (; *name; name++)
		buf_put(out, *name == '\\' ? "/" : name, 1);
}

/* A file as the entry names it, or below /boot where that is no file system of its own. */
static int find(struct grub_menu *m, const char *name, bool kernel, struct grub_boot *boot,
                struct err *err)
{
	int (*set)(struct grub_boot *, struct grub_files *, struct str, struct str, unsigned,
	           struct err *) = kernel ? boot_set_kernel : boot_add_initrd;
	struct grub_files *files = m->context->files;
	struct str root = str_from(files->devices[m->dev].name);
	_cleanup_(buf_fini) struct buf path = BUF_INIT, below = BUF_INIT;
	struct err ignored;
	int rc;

	put_path(&path, name);
	rc = set(boot, files, buf_str(&path), root, 1, err);
	if (rc == 0 || !str_starts(str_from(m->path), "/boot/"))
		return rc;
	buf_putf(&below, "/boot%s", path.p);
	return set(boot, files, buf_str(&below), root, 1, &ignored) == 0 ? 0 : rc;
}

static void entry_cleanup(struct bls_entry *e)
{
	bls_fini(e);
}

static int bls_enter(struct grub_menu *m, const struct grub_entry *e, struct str body,
                     struct grub_boot *boot, struct grub_menu **next, struct err *err)
{
	_cleanup_(entry_cleanup) struct bls_entry b;
	int rc;

	bls_parse(str_from(e->id), body, &b);
	if (!*b.linux_)
		return *b.loader ? err_set(err, ERR_UNSUPPORTED,
		                           "the entry boots the EFI program %s; a Xen guest needs "
		                           "\"linux\" and \"initrd\"",
		                           b.loader)
		                 : err_set(err, ERR_FORMAT, "the entry names no kernel");
	if (b.initrds.n > m->context->limits->initrds)
		return err_set(err, ERR_LIMIT, "%zu initrds, over %zu", b.initrds.n,
		               m->context->limits->initrds);
	rc = find(m, b.linux_, true, boot, err);
	for (size_t i = 0; rc == 0 && i < b.initrds.n; i++)
		rc = find(m, b.initrds.v[i], false, boot, err);
	if (rc == 0)
		boot->args = xstrdup(b.options ? b.options : "");
	return rc;
}

const struct dialect dialect_bls = {"Boot Loader Specification", bls_load, bls_enter};
