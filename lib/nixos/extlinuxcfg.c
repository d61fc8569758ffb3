/* SPDX-License-Identifier: MIT */
#include "nixos/extlinuxcfg.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/show.h"

#define STORE "/nix/store/"
#define WHEN_SIZE 32

struct writer {
	const struct extlinux_form *form;
	struct buf *out;
	struct err *err;
};

static int check_text(struct writer *w, const char *what, const char *text)
{
	char shown[SHOW_SIZE];

	if (!text[strcspn(text, "\n\r")])
		return 0;
	return err_set(w->err, ERR_FORMAT, "boot menu: %s '%s' has more than one line", what,
	               show_str(str_from(text), shown));
}

static void put_path(struct writer *w, const char *path)
{
	_free_ char *name = grubcfg_copy_name(path);

	buf_puts(w->out, w->form->dir);
	buf_puts(w->out, w->form->copies ? name : path + strlen(STORE));
}

static int put_tree(struct writer *w, const struct grub_entry *e)
{
	const char *name = w->form->tree_name;

	if (!w->form->trees || (!e->dtbs && !name))
		return 0;
	if (!e->dtbs)
		return err_set(w->err, ERR_FORMAT,
		               "boot menu: %s has no device trees, but its entries need %s",
		               e->toplevel, name);
	buf_puts(w->out, name ? "  FDT " : "  FDTDIR ");
	put_path(w, e->dtbs);
	buf_putf(w->out, "%s%s\n", name ? "/" : "", name ? name : "");
	return 0;
}

static int put_entry(struct writer *w, const char *tag, const char *title,
                     const struct grub_entry *e)
{
	int rc;

	if (!e->kernel || !e->initrd)
		return 0;
	rc = check_text(w, "entry", title);
	if (rc == 0)
		rc = check_text(w, "kernel parameters", e->params);
	if (rc == 0)
		rc = check_text(w, "label", tag);
	if (rc < 0)
		return rc;
	buf_putf(w->out, "\nLABEL nixos-%s\n  MENU LABEL %s\n  LINUX ", tag, title);
	put_path(w, e->kernel);
	buf_puts(w->out, "\n  INITRD ");
	put_path(w, e->initrd);
	buf_puts(w->out, "\n  APPEND ");
	if (w->form->system_config)
		buf_putf(w->out, "systemConfig=%s ", e->toplevel);
	buf_putf(w->out, "init=%s/init %s\n", e->toplevel, e->params);
	return put_tree(w, e);
}

/* The date of a generation: as the old menu has it, else in UTC. */
static const char *when(struct writer *w, const char *tag, const struct grub_entry *e, int64_t t,
                        char out[static WHEN_SIZE])
{
	time_t at = (time_t)t;
	struct tm tm;

	for (size_t i = 0; i < w->form->n_known; i++) {
		const struct extlinux_known *k = &w->form->known[i];

		if (k->when && !strcmp(k->tag, tag) && !strcmp(k->init, e->init))
			return k->when;
	}
	if (!gmtime_r(&at, &tm) || !strftime(out, WHEN_SIZE, "%F %H:%M", &tm))
		strcpy(out, "?");
	return out;
}

static int put_tagged(struct writer *w, const char *tag, const struct grub_entry *e, int64_t t,
                      const char *version)
{
	char made[WHEN_SIZE];
	_free_ char *title = xasprintf("%s - Configuration %s (%s - %s)", w->form->distro, tag,
	                               when(w, tag, e, t, made), version);

	return put_entry(w, tag, title, e);
}

/* The order of "sort -n -r": by the number at the beginning, then by bytes. */
static int descending(const void *a, const void *b)
{
	const struct grub_special *x = *(const struct grub_special *const *)a;
	const struct grub_special *y = *(const struct grub_special *const *)b;
	unsigned long m = strtoul(x->name, NULL, 10), n = strtoul(y->name, NULL, 10);

	return m == n ? strcmp(y->name, x->name) : (n > m) - (n < m);
}

static int put_specials(struct writer *w, const struct grub_generation *g)
{
	_free_ const struct grub_special **v = xcalloc(g->n_specials + 1, sizeof *v);
	int rc = 0;

	for (size_t i = 0; i < g->n_specials; i++)
		v[i] = &g->specials[i];
	qsort(v, g->n_specials, sizeof *v, descending);
	for (size_t i = 0; i < g->n_specials && rc == 0; i++) {
		_free_ char *tag = xasprintf("%u-%s", g->number, v[i]->name);

		rc = put_tagged(w, tag, &v[i]->entry, g->time, v[i]->version);
	}
	return rc;
}

static int put_generation(struct writer *w, const struct grub_generation *g)
{
	_free_ char *tag = xasprintf("%u%s", g->number, w->form->specials ? "-default" : "");
	int rc = put_tagged(w, tag, &g->entry, g->time, g->version);

	return rc < 0 || !w->form->specials ? rc : put_specials(w, g);
}

static int put_generations(struct writer *w, const struct grub_profile *p, size_t limit)
{
	int rc = 0;

	for (size_t i = 0; i < MIN(p->n, limit) && rc == 0; i++)
		rc = put_generation(w, &p->generations[i]);
	return rc;
}

static bool has_generations(const struct extlinux_form *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->pieces[i].kind == EXTLINUX_GENERATIONS)
			return true;
	return false;
}

static int put_default(struct writer *w, const struct extlinuxcfg *cfg)
{
	_free_ char *title = xasprintf("%s - Default", w->form->distro);
	int rc = put_entry(w, "default", title, &cfg->current->entry);

	return rc < 0 || has_generations(w->form) ? rc
	                                          : put_generations(w, cfg->profile, cfg->limit);
}

int extlinuxcfg_format(const struct extlinuxcfg *cfg, struct buf *out, struct err *err)
{
	struct writer w = {.form = cfg->form, .out = out, .err = err};
	int rc = 0;

	for (size_t i = 0; i < cfg->form->n && rc == 0; i++) {
		const struct extlinux_piece *p = &cfg->form->pieces[i];

		if (p->kind == EXTLINUX_TEXT)
			buf_puts(out, p->text);
		else if (p->kind == EXTLINUX_DEFAULT)
			rc = put_default(&w, cfg);
		else
			rc = put_generations(&w, cfg->profile, cfg->limit);
	}
	return rc;
}

/* ---- copies --------------------------------------------------------------- */

struct path_list {
	const char **items;
	size_t n, cap;
};

static void list_once(struct path_list *list, const char *path)
{
	for (size_t i = 0; path && i < list->n; i++)
		if (strcmp(list->items[i], path) == 0)
			return;
	if (!path)
		return;
	GROW(list->items, list->n, list->cap);
	list->items[list->n++] = path;
}

static void list_entry(struct path_list *list, const struct grub_entry *e, bool trees)
{
	if (!e->kernel || !e->initrd)
		return;
	list_once(list, e->kernel);
	list_once(list, e->initrd);
	if (trees)
		list_once(list, e->dtbs);
}

size_t extlinuxcfg_copies(const struct extlinuxcfg *cfg, const char ***out)
{
	const struct extlinux_form *f = cfg->form;
	struct path_list list = {0};

	if (f->copies) {
		list_entry(&list, &cfg->current->entry, f->trees);
		for (size_t k = 0; k < MIN(cfg->profile->n, cfg->limit); k++) {
			const struct grub_generation *g = &cfg->profile->generations[k];

			list_entry(&list, &g->entry, f->trees);
			for (size_t i = 0; i < g->n_specials && f->specials; i++)
				list_entry(&list, &g->specials[i].entry, f->trees);
		}
	}
	*out = list.items;
	return list.n;
}
