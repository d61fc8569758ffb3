/* SPDX-License-Identifier: MIT */
/*
 * Where menus lie, in the order in which they are looked for: where pygrub looks, so that what it
 * boots boots the same; where SYSLINUX looks; Boot Loader Specification entries; what GRUB has on
 * an EFI system partition; the same as at first in the subvolumes of a btrfs; entries that are
 * written for GRUB.
 */
#include "base/mem.h"
#include "grub/context.h"
#include "grub/texts.h"
#include "grub/uki.h"

#include <stdlib.h>
#include <string.h>

#define FOLDERS_MAX 64 /* of /EFI, or at the top of a btrfs, that are looked into */

/* A folder or a file that may be there; of BLS the directory that has entries/. */
struct place {
	const char *path;
	enum grub_dialect dialect;
};

/* pygrub's, in its order. */
static const struct place pygrubs[] = {
        {"/boot/grub/grub.cfg", GRUB_SCRIPT},
        {"/grub/grub.cfg", GRUB_SCRIPT},
        {"/boot/grub2/grub.cfg", GRUB_SCRIPT},
        {"/grub2/grub.cfg", GRUB_SCRIPT},
        {"/boot/isolinux/isolinux.cfg", GRUB_EXTLINUX},
        {"/boot/extlinux/extlinux.conf", GRUB_EXTLINUX},
        {"/boot/extlinux.conf", GRUB_EXTLINUX},
        {"/extlinux/extlinux.conf", GRUB_EXTLINUX},
        {"/extlinux.conf", GRUB_EXTLINUX},
        {"/boot/grub/menu.lst", GRUB_LEGACY},
        {"/boot/grub/grub.conf", GRUB_LEGACY},
        {"/grub/menu.lst", GRUB_LEGACY},
        {"/grub/grub.conf", GRUB_LEGACY},
};

/* Where SYSLINUX 6 looks besides: isolinux's list on CDs, then its list for all other file systems.
 */
static const struct place syslinuxes[] = {
        {"/isolinux/isolinux.cfg", GRUB_EXTLINUX},
        {"/boot/syslinux/isolinux.cfg", GRUB_EXTLINUX},
        {"/syslinux/isolinux.cfg", GRUB_EXTLINUX},
        {"/isolinux.cfg", GRUB_EXTLINUX},
        {"/boot/isolinux/syslinux.cfg", GRUB_EXTLINUX},
        {"/isolinux/syslinux.cfg", GRUB_EXTLINUX},
        {"/boot/syslinux/extlinux.conf", GRUB_EXTLINUX},
        {"/boot/syslinux/syslinux.cfg", GRUB_EXTLINUX},
        {"/syslinux/extlinux.conf", GRUB_EXTLINUX},
        {"/syslinux/syslinux.cfg", GRUB_EXTLINUX},
        {"/syslinux.cfg", GRUB_EXTLINUX},
};

static const struct place entries[] = {
        {"/loader", GRUB_BLS},
        {"/boot/loader", GRUB_BLS},
};

struct search {
	struct grub_files *files;
	const struct grub_limits *limits;
	struct grub_texts trouble;
	struct err first; /* what went wrong first; code ERR_NONE: nothing */
	bool grubs;       /* there are BLS entries that only GRUB can read */
};

static void search_fini(struct search *s)
{
	texts_fini(&s->trouble);
}

/* Whether there is a folder for unified kernel images. */
static bool has_images(struct search *s, size_t dev, const char *loader)
{
	_free_ char *dir = uki_folder(str_from(loader));
	struct grub_stat st;
	struct err ignored;

	return s->files->ops->stat(s->files, dev, str_from(dir), &st, &ignored) == 0 &&
	       st.kind == GRUB_DIR;
}

static bool is_there(struct search *s, size_t dev, const struct place *place)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	struct grub_stat st;
	struct err ignored;

	if (place->dialect == GRUB_BLS && has_images(s, dev, place->path))
		return true;
	buf_putf(&path, "%s%s", place->path, place->dialect == GRUB_BLS ? "/entries" : "");
	return s->files->ops->stat(s->files, dev, buf_str(&path), &st, &ignored) == 0 &&
	       st.kind == (place->dialect == GRUB_BLS ? GRUB_DIR : GRUB_FILE);
}

/* "bootctl install" makes an empty directory of entries: no reason for a warning. */
static bool is_usual(const struct grub_menu *m)
{
	return m && m->dialect == GRUB_BLS && !m->warnings.n;
}

/* Takes a menu, or the error of reading it: returns the menu, or NULL if it has no use. */
static struct grub_menu *keep(struct search *s, size_t dev, const char *path, int rc,
                              struct grub_menu *menu, struct err *err)
{
	_cleanup_(grub_menu_freep) struct grub_menu *m = menu;

	if (rc == 0 && m->n)
		return take(&m);
	if (rc == 0)
		err_set(err, ERR_FORMAT, "(%s)%s: no entries%s%s", s->files->devices[dev].name,
		        path, m->warnings.n ? ": " : "", m->warnings.n ? m->warnings.v[0] : "");
	if (s->trouble.n < s->limits->warnings && !is_usual(m))
		texts_add(&s->trouble, str_from(err->text));
	if (!s->first.code)
		s->first = *err;
	return NULL;
}

static struct grub_menu *try_place(struct search *s, size_t dev, const struct place *place)
{
	struct grub_menu *m = NULL;
	struct err err = ERR_INIT;
	int rc;

	if (!is_there(s, dev, place))
		return NULL;
	rc = grub_menu_load(s->files, s->limits,
	                    &(struct grub_menu_file){place->dialect, dev, str_from(place->path)},
	                    &m, &err);
	if (rc == 0 && m->context->grubs) {
		s->grubs = true;
		grub_menu_free(m);
		return NULL;
	}
	return keep(s, dev, place->path, rc, m, &err);
}

static struct grub_menu *try_places(struct search *s, size_t dev, const struct place *places,
                                    size_t n)
{
	struct grub_menu *m = NULL;

	for (size_t i = 0; !m && i < n; i++)
		m = try_place(s, dev, &places[i]);
	return m;
}

static struct grub_menu *try_pygrubs(struct search *s, size_t dev)
{
	return try_places(s, dev, pygrubs, ARRAY_LEN(pygrubs));
}

static struct grub_menu *try_syslinuxes(struct search *s, size_t dev)
{
	return try_places(s, dev, syslinuxes, ARRAY_LEN(syslinuxes));
}

static struct grub_menu *try_entries(struct search *s, size_t dev)
{
	return try_places(s, dev, entries, ARRAY_LEN(entries));
}

static int take_name(void *arg, struct str name)
{
	struct grub_texts *t = arg;

	if (name.n && name.p[0] != '.' && !memchr(name.p, '/', name.n) &&
	    !memchr(name.p, '\'', name.n))
		texts_add(t, name);
	return t->n >= FOLDERS_MAX;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void read_folders(struct search *s, size_t dev, struct str path, struct grub_texts *out)
{
	struct err ignored;

	if (s->files->ops->list(s->files, dev, path, take_name, out, &ignored) == 0 && out->n)
		qsort(out->v, out->n, sizeof *out->v, by_name);
}

/* The folders of an EFI system partition's programs. */
static void read_vendors(struct search *s, size_t dev, struct grub_texts *out)
{
	read_folders(s, dev, STR("/EFI"), out);
}

static struct grub_menu *try_vendors(struct search *s, size_t dev)
{
	_cleanup_(texts_fini) struct grub_texts vendors = {0};
	struct grub_menu *m = NULL;

	read_vendors(s, dev, &vendors);
	for (size_t i = 0; !m && i < vendors.n; i++) {
		_free_ char *path = xasprintf("/EFI/%s/grub.cfg", vendors.v[i]);

		m = try_place(s, dev, &(struct place){path, GRUB_SCRIPT});
	}
	return m;
}

static struct grub_menu *try_below(struct search *s, size_t dev, const char *folder,
                                   const struct place *places, size_t n)
{
	struct grub_menu *m = NULL;

	for (size_t i = 0; !m && i < n; i++) {
		_free_ char *path = xasprintf("/%s%s", folder, places[i].path);

		m = try_place(s, dev, &(struct place){path, places[i].dialect});
	}
	return m;
}

/*
 * Where / is a subvolume, as "@" or "root", GRUB's core image has the path of its menu from the top
 * of the file system on. That path is not known here, so all folders there are looked into.
 */
static struct grub_menu *try_subvolumes(struct search *s, size_t dev)
{
	_cleanup_(texts_fini) struct grub_texts folders = {0};
	struct grub_probe probe = {.fs = ""};
	struct grub_menu *m = NULL;
	struct err ignored;

	if (s->files->ops->probe(s->files, dev, &probe, &ignored) < 0 ||
	    strcmp(probe.fs, "btrfs") != 0)
		return NULL;
	read_folders(s, dev, STR("/"), &folders);
	for (size_t i = 0; !m && i < folders.n; i++) {
		m = try_below(s, dev, folders.v[i], pygrubs, ARRAY_LEN(pygrubs));
		if (!m)
			m = try_below(s, dev, folders.v[i], entries, ARRAY_LEN(entries));
	}
	return m;
}

static bool put_if_there(struct search *s, size_t dev, const char *path, struct buf *out)
{
	if (!is_there(s, dev, &(struct place){path, GRUB_SCRIPT}))
		return false;
	buf_putf(out, "(%s)%s", s->files->devices[dev].name, path);
	return true;
}

/* GRUB's environment block of entries on dev: beside them, or on an EFI system partition. */
static void find_grubenv(struct search *s, size_t dev, struct buf *out)
{
	static const char *const usual[] = {"/grub2/grubenv", "/boot/grub2/grubenv",
	                                    "/grub/grubenv", "/boot/grub/grubenv"};

	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		if (put_if_there(s, dev, usual[i], out))
			return;
	for (size_t d = 0; d < s->files->device_count; d++) {
		_cleanup_(texts_fini) struct grub_texts vendors = {0};

		read_vendors(s, d, &vendors);
		for (size_t i = 0; i < vendors.n; i++) {
			_free_ char *path = xasprintf("/EFI/%s/grubenv", vendors.v[i]);

			if (put_if_there(s, d, path, out))
				return;
		}
	}
}

/* Entries for Fedora's GRUB whose grub.cfg is not to be found: what it would say of them. */
static struct grub_menu *try_grubs(struct search *s, size_t dev)
{
	struct grub_menu *m = NULL;

	for (size_t i = 0; s->grubs && !m && i < ARRAY_LEN(entries); i++) {
		_cleanup_(buf_fini) struct buf text = BUF_INIT, env = BUF_INIT;
		struct err err = ERR_INIT;
		int rc;

		if (!is_there(s, dev, &entries[i]))
			continue;
		find_grubenv(s, dev, &env);
		if (env.n)
			buf_putf(&text, "load_env -f '%s'\nset default=\"${saved_entry}\"\n",
			         env.p);
		buf_putf(&text, "set timeout=5\nblscfg (%s)%s/entries\n",
		         s->files->devices[dev].name, entries[i].path);
		rc = menu_load_text(
		        s->files, s->limits,
		        &(struct grub_menu_file){GRUB_SCRIPT, dev, str_from(entries[i].path)},
		        buf_str(&text), &m, &err);
		m = keep(s, dev, entries[i].path, rc, m, &err);
	}
	return m;
}

/* Skip a disk whose partitions follow. */
static bool has_partitions(const struct grub_files *files, size_t dev)
{
	struct str name = str_from(files->devices[dev].name), next;

	if (dev + 1 >= files->device_count)
		return false;
	next = str_from(files->devices[dev + 1].name);
	return next.n > name.n && next.p[name.n] == ',' && str_starts(next, name.p);
}

/* What is on each of the devices instead of a menu. */
static int nothing_found(struct grub_files *files, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;

	const char *between = ": ";

	buf_putf(&text, "no boot menu on any of the %zu disks and partitions", files->device_count);
	for (size_t i = 0; i < files->device_count; i++) {
		struct grub_probe probe = {.fs = ""};
		struct err why = ERR_INIT;
		int rc = files->ops->probe(files, i, &probe, &why);

		if (rc < 0 && has_partitions(files, i))
			continue;
		buf_puts(&text, between);
		between = "; ";
		if (rc < 0)
			buf_puts(&text, why.text);
		else
			buf_putf(&text, "(%s): %s, no menu", files->devices[i].name, probe.fs);
	}
	return err_set(err, ERR_NOENT, "%s", text.p);
}

/*
 * Each on all devices, in the order of the tables, before the next. pygrub means to ask the
 * active partition first, but under Python 3 it compares bytes with text and never does.
 */
static struct grub_menu *(*const stages[])(struct search *s, size_t dev) = {
        try_pygrubs, try_syslinuxes, try_entries, try_vendors, try_subvolumes, try_grubs,
};

int grub_menu_probe(struct grub_files *files, const struct grub_limits *limits,
                    struct grub_menu **out, struct err *err)
{
	_cleanup_(search_fini) struct search s = {.files = files, .limits = limits};
	struct grub_menu *m = NULL;

	for (size_t i = 0; !m && i < ARRAY_LEN(stages); i++)
		for (size_t dev = 0; !m && dev < files->device_count; dev++) {
			struct grub_probe probe = {.fs = ""};
			struct err ignored;

			if (files->ops->probe(files, dev, &probe, &ignored) == 0)
				m = stages[i](&s, dev);
		}
	if (!m && s.first.code) {
		*err = s.first;
		return -(int)err->code;
	}
	if (!m)
		return nothing_found(files, err);
	texts_copy(&m->warnings, &s.trouble);
	*out = m;
	return 0;
}

/* Words that begin a line in one dialect only. */
enum grub_dialect grub_menu_guess(struct str text)
{
	static const struct {
		const char *word;
		enum grub_dialect dialect;
	} words[] = {
	        {"menuentry", GRUB_SCRIPT}, {"submenu", GRUB_SCRIPT},  {"set", GRUB_SCRIPT},
	        {"if", GRUB_SCRIPT},        {"function", GRUB_SCRIPT}, {"insmod", GRUB_SCRIPT},
	        {"search", GRUB_SCRIPT},    {"title", GRUB_LEGACY},    {"label", GRUB_EXTLINUX},
	        {"LABEL", GRUB_EXTLINUX},   {"Label", GRUB_EXTLINUX},  {"ui", GRUB_EXTLINUX},
	        {"UI", GRUB_EXTLINUX},      {"menu", GRUB_EXTLINUX},   {"MENU", GRUB_EXTLINUX},
	};

	while (text.p) {
		struct str line = str_trim(str_cut(&text, '\n')), word = {line.p, 0};

		while (word.n < line.n && !strchr(" \t=", line.p[word.n]))
			word.n++;
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (str_is(word, words[i].word))
				return words[i].dialect;
	}
	return GRUB_SCRIPT;
}
