/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/show.h"
#include "nixos/grubcfg.h"
#include "nixos/grubform_in.h"

#include <string.h>
#include <time.h>

#define STORE "/nix/store/"
#define GRUB_VERSION_IN_STATE "2.12"

struct writer {
	const struct grubcfg *cfg;
	const struct grub_form *form;
	struct buf *out;
	struct err *err;
};

/* ---- entries -------------------------------------------------------------- */

char *grubcfg_copy_name(const char *path)
{
	char *name = xstrdup(path + strlen(STORE));

	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '-';
	return name;
}

/*
 * Names go between double quotes, parameters onto a line of their own, as NixOS
 * writes them: a newline or a NUL would begin something else.
 */
static int check_text(struct writer *w, const char *what, const char *text, const char *refused)
{
	char shown[SHOW_SIZE];

	if (!text[strcspn(text, refused)])
		return 0;
	return err_set(
	        w->err, ERR_FORMAT,
	        "boot menu: %s '%s' contains a character that cannot be written in a GRUB menu",
	        what, show_str(str_from(text), shown));
}

static void put_path(struct writer *w, const char *path)
{
	_free_ char *name = NULL;

	buf_puts(w->out, w->form->dir);
	if (!w->form->copies) {
		buf_puts(w->out, path + strlen(STORE));
		return;
	}
	name = grubcfg_copy_name(path);
	buf_puts(w->out, name);
}

static void put_body(struct writer *w, const struct grub_entry *e)
{
	const struct grub_form *f = w->form;

	buf_puts(w->out, f->head);
	buf_puts(w->out, "  linux ");
	put_path(w, e->kernel);
	if (f->system_config)
		buf_putf(w->out, " systemConfig=%s", e->toplevel);
	buf_putf(w->out, " init=%s %s\n%s  initrd ", e->init, e->params, f->middle);
	put_path(w, e->initrd);
	buf_puts(w->out, f->more);
	if (e->secrets && f->secrets_dir)
		buf_putf(w->out, " %s%s", f->secrets_dir, e->secrets);
	buf_putf(w->out, "\n%s", f->tail);
}

static int put_entry(struct writer *w, const char *name, const char *options,
                     const struct grub_entry *e)
{
	int rc;

	if (!e->kernel || !e->initrd)
		return 0;
	rc = check_text(w, "entry", name, "\"\n\r$`\\");
	if (rc == 0)
		rc = check_text(w, "kernel parameters", e->params, "\n\r");
	if (rc < 0)
		return rc;
	buf_putf(w->out, "menuentry \"%s\" %s {", name, options);
	put_body(w, e);
	buf_puts(w->out, "}\n\n");
	return 0;
}

/* The day in UTC: the image must not depend on the host's time zone. */
static char *day(int64_t t)
{
	time_t when = (time_t)t;
	char text[16];
	struct tm tm;

	if (!gmtime_r(&when, &tm) || !strftime(text, sizeof text, "%F", &tm))
		return xstrdup("?");
	return xstrdup(text);
}

static char *special_name(struct writer *w, const struct grub_special *s, const char *name)
{
	_free_ char *made = w->form->special_day ? xstrdup(w->form->special_day) : day(s->time);

	if (*s->configuration_name)
		return xasprintf("%s - %s", name, s->configuration_name);
	return xasprintf("%s - (%s - %s - %s)", name, s->name, made, s->version);
}

static int put_specials(struct writer *w, const struct grub_generation *g, const char *name)
{
	int rc = 0;

	for (size_t i = 0; i < g->n_specials && rc == 0; i++) {
		_free_ char *special = special_name(w, &g->specials[i], name);

		rc = put_entry(w, special, "", &g->specials[i].entry);
	}
	return rc;
}

static int put_default(struct writer *w)
{
	const struct grub_generation *g = w->cfg->current;
	const struct grub_form *f = w->form;
	_free_ char *title =
	        xasprintf("%s%s", f->distro, !f->nested || g->n_specials ? " - Default" : "");
	int rc = put_entry(w, title, f->options, &g->entry);

	return rc < 0 || !f->nested ? rc : put_specials(w, g, f->distro);
}

/* Keep the date of the old menu: the guest wrote it in its own time zone. */
static char *day_of(struct writer *w, const struct grub_profile *p, const struct grub_generation *g)
{
	const struct grub_known *k = grub_form_number(w->form, p->name, g->number, g->entry.init);

	return k && k->day ? xstrdup(k->day) : day(g->time);
}

static bool is_submenu(const struct writer *w, const struct grub_generation *g)
{
	return g->n_specials && w->form->nested;
}

static char *title_of(struct writer *w, const struct grub_profile *p,
                      const struct grub_generation *g)
{
	_free_ char *made = day_of(w, p, g);

	return xasprintf("%s - Configuration %u%s (%s - %s)", w->form->distro, g->number,
	                 is_submenu(w, g) ? " - Default" : "", made, g->version);
}

static int put_generation(struct writer *w, const struct grub_profile *p,
                          const struct grub_generation *g)
{
	bool submenu = is_submenu(w, g);
	_free_ char *name = xasprintf("%s - Configuration %u", w->form->distro, g->number);
	_free_ char *made = day_of(w, p, g);
	_free_ char *title = title_of(w, p, g);
	int rc;

	if (submenu)
		buf_putf(w->out, "submenu \"%s%s (%s - %s)\" --class submenu {\n", w->form->mark,
		         name, made, g->version);
	rc = put_entry(w, title, w->form->sub_options, &g->entry);
	if (rc == 0 && submenu)
		rc = put_specials(w, g, name);
	if (submenu)
		buf_puts(w->out, "}\n");
	return rc;
}

static bool is_shown(const struct grub_generation *g)
{
	return g->entry.kernel && g->entry.initrd;
}

/* GRUB refuses an empty block. */
static bool is_empty(const struct grub_profile *p, size_t n, const struct grub_piece *kept)
{
	for (size_t i = 0; i < n; i++)
		if (is_shown(&p->generations[i]))
			return false;
	return p->name && (!kept || (!kept->before && !kept->behind));
}

/* kept: text of the old menu at this place, or NULL. */
static int put_profile(struct writer *w, const struct grub_profile *p,
                       const struct grub_piece *kept)
{
	const struct grub_form *f = w->form;
	size_t n = MIN(p->n, w->cfg->limit);
	int rc = 0;

	if (is_empty(p, n, kept))
		return 0;
	if (p->name)
		buf_putf(w->out, "submenu \"%s - Profile '%s'\"", f->distro, p->name);
	else
		buf_putf(w->out, "submenu \"%s - All configurations\"", f->distro);
	buf_putf(w->out, " %s%s{\n", f->submenu_options, *f->submenu_options ? " " : "");
	if (kept && kept->before)
		buf_puts(w->out, kept->before);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = put_generation(w, p, &p->generations[i]);
	if (kept && kept->behind)
		buf_puts(w->out, kept->behind);
	buf_puts(w->out, "}\n");
	return rc;
}

/* ---- the whole ------------------------------------------------------------ */

static const struct grub_profile *find_profile(const struct grubcfg *cfg, const char *name)
{
	for (size_t i = 0; i < cfg->n_profiles; i++) {
		const struct grub_profile *p = &cfg->profiles[i];

		if (name ? p->name && !strcmp(p->name, name) : !p->name)
			return p;
	}
	return NULL;
}

static bool has_piece(const struct grub_form *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++) {
		const char *text = f->pieces[i].text;

		if (f->pieces[i].kind == GRUB_PROFILE && text && !strcmp(text, name))
			return true;
	}
	return false;
}

/* Profiles that the old menu did not have. */
static int put_new_profiles(struct writer *w)
{
	int rc = 0;

	for (size_t i = 0; i < w->cfg->n_profiles && rc == 0; i++) {
		const struct grub_profile *p = &w->cfg->profiles[i];

		if (p->name && !has_piece(w->form, p->name))
			rc = put_profile(w, p, NULL);
	}
	return rc;
}

static bool is_last_profile(const struct grub_form *f, size_t i)
{
	for (size_t k = i + 1; k < f->n; k++)
		if (f->pieces[k].kind == GRUB_PROFILE)
			return false;
	return true;
}

static int put_piece(struct writer *w, size_t i)
{
	const struct grub_piece *piece = &w->form->pieces[i];
	const struct grub_profile *p;
	int rc = 0;

	if (piece->kind == GRUB_TEXT)
		buf_puts(w->out, piece->text);
	if (piece->kind == GRUB_DEFAULT)
		return put_default(w);
	if (piece->kind == GRUB_SPECIALS)
		return put_specials(w, w->cfg->current, w->form->distro);
	if (piece->kind != GRUB_PROFILE)
		return 0;
	p = find_profile(w->cfg, piece->text);
	if (p)
		rc = put_profile(w, p, piece);
	return rc < 0 || !is_last_profile(w->form, i) ? rc : put_new_profiles(w);
}

int grubcfg_format(const struct grubcfg *cfg, struct buf *out, struct err *err)
{
	struct writer w = {.cfg = cfg, .form = cfg->form, .out = out, .err = err};
	int rc = 0;

	for (size_t i = 0; i < cfg->form->n && rc == 0; i++)
		rc = put_piece(&w, i);
	return rc;
}

/* ---- the path of an entry ------------------------------------------------- */

/* Add the number of entries and submenus of a text that the menu keeps. */
static int count_entries(const char *text, size_t *n, struct err *err)
{
	struct statements s;
	struct statement st;
	int rc;

	if (!text)
		return 0;
	statements_init(&s, str_from(text));
	while ((rc = statements_next(&s, &st, err)) == 0) {
		*n += statement_is(&st, "menuentry") || statement_is(&st, "submenu");
		statement_fini(&st);
	}
	statements_fini(&s);
	return rc < 0 ? rc : 0;
}

/* The number, from 0, of a generation's place in the submenu of all. */
static int find_place(const struct grubcfg *cfg, const struct grub_profile *p, size_t index,
                      size_t *out, struct err *err)
{
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < cfg->form->n && rc == 0; i++)
		if (cfg->form->pieces[i].kind == GRUB_PROFILE && !cfg->form->pieces[i].text)
			rc = count_entries(cfg->form->pieces[i].before, &n, err);
	for (size_t i = 0; i < index; i++)
		n += is_shown(&p->generations[i]);
	*out = n;
	return rc;
}

/* One level of a path: a '>' of the title is doubled. */
static void put_level(struct buf *out, const char *title)
{
	for (const char *c = title; *c; c++) {
		if (*c == '>')
			buf_puts(out, ">");
		buf_put(out, c, 1);
	}
}

int grubcfg_entry(const struct grubcfg *cfg, unsigned number, struct buf *out, struct err *err)
{
	struct writer w = {.cfg = cfg, .form = cfg->form};
	const struct grub_profile *p = find_profile(cfg, NULL);
	_free_ char *submenu = xasprintf("%s - All configurations", cfg->form->distro);
	_free_ char *title = NULL;
	size_t i = 0, place = 0;
	int rc;

	while (p && i < MIN(p->n, cfg->limit) && p->generations[i].number != number)
		i++;
	if (!p || i == MIN(p->n, cfg->limit) || !is_shown(&p->generations[i]))
		return 1;
	rc = find_place(cfg, p, i, &place, err);
	if (rc < 0)
		return rc;
	title = title_of(&w, p, &p->generations[i]);
	put_level(out, submenu);
	buf_puts(out, ">");
	/* Its submenu's title begins with '>', which cannot follow another one: take its number. */
	if (is_submenu(&w, &p->generations[i]))
		buf_putf(out, "%zu>", place);
	put_level(out, title);
	return 0;
}

/* ---- copies --------------------------------------------------------------- */

struct path_list {
	const char **items;
	size_t n, cap;
};

static void list_once(struct path_list *list, const char *path)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], path) == 0)
			return;
	GROW(list->items, list->n, list->cap);
	list->items[list->n++] = path;
}

static void list_entry(struct path_list *list, const struct grub_entry *e)
{
	if (!e->kernel || !e->initrd)
		return;
	list_once(list, e->kernel);
	list_once(list, e->initrd);
}

static void list_generation(struct path_list *list, const struct grub_generation *g, bool specials)
{
	list_entry(list, &g->entry);
	for (size_t i = 0; i < g->n_specials && specials; i++)
		list_entry(list, &g->specials[i].entry);
}

size_t grubcfg_copies(const struct grubcfg *cfg, const char ***out)
{
	struct path_list list = {0};

	if (cfg->form->copies) {
		list_generation(&list, cfg->current, true);
		for (size_t i = 0; i < cfg->n_profiles; i++)
			for (size_t k = 0; k < MIN(cfg->profiles[i].n, cfg->limit); k++)
				list_generation(&list, &cfg->profiles[i].generations[k],
				                cfg->form->nested);
	}
	*out = list.items;
	return list.n;
}

void grubcfg_state(struct buf *out)
{
	buf_puts(out, "grub\n" GRUB_VERSION_IN_STATE "\nneither\nnodev\n/boot\n"
	              "{\"extraGrubInstallArgs\":[]}\n");
}
