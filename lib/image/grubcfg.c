/* SPDX-License-Identifier: MIT */
#include "image/grubcfg.h"
#include "base/mem.h"
#include "base/show.h"

#include <string.h>
#include <time.h>

#define STORE "/nix/store/"
#define GRUB_VERSION_IN_STATE "2.12"

struct writer {
	const struct grubcfg *cfg;
	struct buf *out;
	struct err *err;
	char *boot_path;  /* of /boot's own directory, as GRUB names it: no slash at its end */
	char *store_path; /* of /nix/store */
	char *searches;   /* in every entry */
};

/* ---- how GRUB names files ------------------------------------------------- */

static const char *search_flag(const struct grubcfg *cfg)
{
	return cfg->by == GRUB_BY_LABEL ? "--label" : "--fs-uuid";
}

static bool by_search(const struct grubcfg *cfg)
{
	return cfg->by != GRUB_PROVIDED;
}

/*
 * /boot is drive1, and the store, where kernels stay in it, drive2: NixOS
 * numbers them so even where both are the same file system.
 */
static void set_paths(struct writer *w)
{
	const struct grubcfg *cfg = w->cfg;
	const char *boot_id = cfg->separate_boot ? cfg->boot_id : cfg->root_id;
	struct buf s = BUF_INIT;

	if (by_search(cfg)) {
		buf_putf(&s, "search --set=drive1 %s %s\n", search_flag(cfg), boot_id);
		if (!cfg->copy_kernels)
			buf_putf(&s, "search --set=drive2 %s %s\n", search_flag(cfg), cfg->root_id);
		w->boot_path = xstrdup(cfg->separate_boot ? "($drive1)/" : "($drive1)/boot");
		w->store_path = xstrdup("($drive2)/nix/store");
	} else {
		w->boot_path = xstrdup(cfg->separate_boot ? "" : "/boot");
		w->store_path = xstrdup("/nix/store");
	}
	w->searches = buf_steal(&s);
}

char *grubcfg_copy_name(const char *path)
{
	char *name = xstrdup(path + strlen(STORE));

	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '-';
	return name;
}

static char *file_path(const struct writer *w, const char *path)
{
	_free_ char *name = NULL;

	if (!w->cfg->copy_kernels)
		return xasprintf("%s/%s", w->store_path, path + strlen(STORE));
	name = grubcfg_copy_name(path);
	return xasprintf("%s/kernels/%s", w->boot_path, name);
}

/* ---- entries -------------------------------------------------------------- */

/*
 * Names go between double quotes, parameters onto a line of their own, as NixOS
 * writes them: a newline or a NUL would begin something else.
 */
static int check_text(struct writer *w, const char *what, const char *text, const char *refused)
{
	char shown[SHOW_SIZE];

	if (!text[strcspn(text, refused)])
		return 0;
	return err_set(w->err, ERR_FORMAT, "boot menu: %s '%s' has a character that GRUB misreads",
	               what, show_str(str_from(text), shown));
}

static int put_entry(struct writer *w, const char *name, const char *options,
                     const struct grub_entry *e)
{
	_free_ char *kernel = NULL, *initrd = NULL;
	int rc;

	if (!e->kernel || !e->initrd)
		return 0;
	rc = check_text(w, "entry", name, "\"\n\r$`\\");
	if (rc == 0)
		rc = check_text(w, "kernel parameters", e->params, "\n\r");
	if (rc < 0)
		return rc;
	kernel = file_path(w, e->kernel);
	initrd = file_path(w, e->initrd);
	buf_putf(w->out, "menuentry \"%s\" %s{\n", name, options);
	buf_puts(w->out, w->searches);
	buf_putf(w->out, "  linux %s init=%s %s\n", kernel, e->init, e->params);
	buf_putf(w->out, "  initrd %s\n", initrd);
	buf_puts(w->out, "}\n\n");
	return 0;
}

/* The day in UTC: the image must not depend on the host's time zone. */
static const char *day(int64_t t, char out[static 16])
{
	time_t when = (time_t)t;
	struct tm tm;

	if (!gmtime_r(&when, &tm) || !strftime(out, 16, "%F", &tm))
		strcpy(out, "?");
	return out;
}

static char *special_name(const struct grub_special *s, const char *name)
{
	char date[16];

	if (*s->configuration_name)
		return xasprintf("%s - %s", name, s->configuration_name);
	return xasprintf("%s - (%s - %s - %s)", name, s->name, day(s->time, date), s->version);
}

static int put_generation(struct writer *w, const struct grub_generation *g, const char *name,
                          const char *suffix, const char *options, bool current)
{
	bool submenu = g->n_specials && !current;
	_free_ char *title = xasprintf("%s%s%s", name, g->n_specials ? " - Default" : "", suffix);
	int rc;

	if (submenu)
		buf_putf(w->out, "submenu \"> %s%s\" --class submenu {\n", name, suffix);
	rc = put_entry(w, title, options, &g->entry);
	for (size_t i = 0; i < g->n_specials && rc == 0; i++) {
		_free_ char *special = special_name(&g->specials[i], name);

		rc = put_entry(w, special, "", &g->specials[i].entry);
	}
	if (submenu)
		buf_puts(w->out, "}\n");
	return rc;
}

static int put_profile(struct writer *w, const struct grub_profile *p)
{
	size_t n = MIN(p->n, w->cfg->limit);
	int rc = 0;

	if (p->name)
		buf_putf(w->out, "submenu \"NixOS - Profile '%s'\" --class submenu {\n", p->name);
	else
		buf_puts(w->out, "submenu \"NixOS - All configurations\" --class submenu {\n");
	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct grub_generation *g = &p->generations[i];
		char date[16];
		_free_ char *name = xasprintf("NixOS - Configuration %u", g->number);
		_free_ char *suffix = xasprintf(" (%s - %s)", day(g->time, date), g->version);

		rc = put_generation(w, g, name, suffix, "--class nixos ", false);
	}
	buf_puts(w->out, "}\n\n");
	return rc;
}

/* ---- the whole ------------------------------------------------------------ */

static void put_header(struct writer *w)
{
	buf_puts(w->out, "# Automatically generated.  DO NOT EDIT THIS FILE!\n");
	buf_puts(w->out, w->searches);
	buf_puts(w->out,
	         "if [ -s $prefix/grubenv ]; then\n"
	         "  load_env\n"
	         "fi\n"
	         "\n"
	         "# An entry asked for once, with grub-reboot, is forgotten as it is used.\n"
	         "if [ \"${next_entry}\" ]; then\n"
	         "  set default=\"${next_entry}\"\n"
	         "  set next_entry=\n"
	         "  save_env next_entry\n"
	         "  set timeout=1\n"
	         "  set boot_once=true\n"
	         "else\n");
	buf_putf(w->out,
	         "  set default=0\n"
	         "  set timeout=%u\n"
	         "fi\n"
	         "set timeout_style=menu\n"
	         "\n",
	         w->cfg->timeout);
	buf_puts(w->out, "function savedefault {\n"
	                 "  if [ -z \"${boot_once}\" ]; then\n"
	                 "    saved_entry=\"${chosen}\"\n"
	                 "    save_env saved_entry\n"
	                 "  fi\n"
	                 "}\n"
	                 "\n");
}

int grubcfg_format(const struct grubcfg *cfg, struct buf *out, struct err *err)
{
	struct writer w = {.cfg = cfg, .out = out, .err = err};
	int rc;

	set_paths(&w);
	put_header(&w);
	rc = put_generation(&w, cfg->current, "NixOS", "", "--class nixos --unrestricted ", true);
	for (size_t i = 0; i < cfg->n_profiles && rc == 0; i++)
		rc = put_profile(&w, &cfg->profiles[i]);
	free(w.boot_path);
	free(w.store_path);
	free(w.searches);
	return rc;
}

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

static void list_generation(struct path_list *list, const struct grub_generation *g)
{
	for (size_t i = 0; i <= g->n_specials; i++) {
		const struct grub_entry *e = i ? &g->specials[i - 1].entry : &g->entry;

		if (!e->kernel || !e->initrd)
			continue;
		list_once(list, e->kernel);
		list_once(list, e->initrd);
	}
}

size_t grubcfg_copies(const struct grubcfg *cfg, const char ***out)
{
	struct path_list list = {0};

	if (cfg->copy_kernels) {
		list_generation(&list, cfg->current);
		for (size_t i = 0; i < cfg->n_profiles; i++)
			for (size_t k = 0; k < MIN(cfg->profiles[i].n, cfg->limit); k++)
				list_generation(&list, &cfg->profiles[i].generations[k]);
	}
	*out = list.items;
	return list.n;
}

void grubcfg_state(struct buf *out)
{
	buf_puts(out, "grub\n" GRUB_VERSION_IN_STATE "\nneither\nnodev\n/boot\n"
	              "{\"extraGrubInstallArgs\":[]}\n");
}
