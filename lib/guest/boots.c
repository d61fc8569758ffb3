/* SPDX-License-Identifier: MIT */
#include "guest/boots.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grub/menu.h"
#include "guest/after.h"

struct walk_menu {
	struct boots *out;
	const char *more;
	size_t left; /* entries before the limit is reached */
};

static void entry_fini(struct boots_entry *e)
{
	for (size_t i = 0; i < e->n_initrds; i++)
		free(e->initrds[i]);
	free(e->initrds);
	free(e->title);
	free(e->kernel);
	free(e->args);
}

void boots_fini(struct boots *b)
{
	for (size_t i = 0; i < b->n; i++)
		entry_fini(&b->v[i]);
	entry_fini(&b->next);
	entry_fini(&b->chosen);
	free(b->v);
	free(b->path);
	free(b->why);
	free(b->unknown);
	*b = (struct boots){.n = 0};
}

struct str boots_argument(const char *args, const char *name)
{
	struct str rest = str_from(args ? args : ""), found = {NULL, 0};

	while (rest.p) {
		struct str word = str_cut(&rest, ' ');

		if (str_starts(word, name))
			found = str_drop(word, strlen(name));
	}
	return found;
}

struct str boots_init(const char *args)
{
	return boots_argument(args, "init=");
}

static void entry_set(struct boots_entry *e, const char *title, const struct grub_boot *b,
                      const char *more)
{
	const char *args = b->args ? b->args : "";

	*e = (struct boots_entry){.title = xstrdup(title), .kernel = xstrdup(b->kernel.path)};
	e->args = more && *more ? xasprintf("%s%s%s", args, *args ? " " : "", more) : xstrdup(args);
	e->initrds = xcalloc(b->initrd_count + 1, sizeof *e->initrds);
	for (; e->n_initrds < b->initrd_count; e->n_initrds++)
		e->initrds[e->n_initrds] = xstrdup(b->initrds[e->n_initrds].path);
}

/* Whether the entry might boot although it could not be evaluated now. */
static bool may_boot(const struct err *err)
{
	return err->code == ERR_IO || err->code == ERR_LIMIT;
}

static void leave_out(struct walk_menu *w, const char *title, const char *why)
{
	if (!w->out->unknown)
		w->out->unknown = xasprintf("\"%s\": %s", title, why);
}

static void take_menu(struct walk_menu *w, struct grub_menu *m, const char *above, unsigned depth);

static void take_entry(struct walk_menu *w, struct grub_menu *m, size_t i, const char *above,
                       unsigned depth)
{
	_cleanup_(grub_menu_freep) struct grub_menu *next = NULL;
	_free_ char *title = xasprintf("%s%s%s", above, *above ? " > " : "", m->entries[i].title);
	struct grub_boot boot = GRUB_BOOT_INIT;
	struct boots *out = w->out;
	struct err err = ERR_INIT;
	int rc = grub_menu_enter(m, i, (struct str){NULL, 0}, &boot, &next, &err);

	if (rc == 1 && depth == BOOTS_DEPTH_MAX) {
		leave_out(w, title, "menus nested too deeply");
	} else if (rc == 1) {
		take_menu(w, next, title, depth + 1);
	} else if (rc == 0 && boot.kernel.path) {
		GROW(out->v, out->n, out->cap);
		entry_set(&out->v[out->n++], title, &boot, w->more);
	} else if (rc < 0 && may_boot(&err)) {
		leave_out(w, title, err.text);
	}
	grub_boot_fini(&boot);
}

static void take_menu(struct walk_menu *w, struct grub_menu *m, const char *above, unsigned depth)
{
	for (size_t i = 0; i < m->n; i++) {
		if (!w->left) {
			leave_out(w, m->entries[i].title, "the menu has too many entries");
			return;
		}
		w->left--;
		take_entry(w, m, i, above, depth);
	}
}

/* ---- what boots by default, and what the next start boots ---------------- */

/* What one start boots: 0, or 1 and why it boots nothing. */
static int start(struct grub_menu *m, const struct boots_settings *set, struct grub_boot *boot,
                 char **why)
{
	struct str spec = set->entry ? str_from(set->entry) : (struct str){NULL, 0};
	struct err err = ERR_INIT;

	if (grub_menu_auto(m, spec, boot, &err) < 0)
		*why = xstrdup(err.text);
	else if (!boot->kernel.path)
		*why = xstrdup("the default entry names no kernel");
	return *why != NULL;
}

/* The start after that, which finds what the first one wrote. */
static void take_second(struct boots *out, struct grub_files *files,
                        const struct boots_settings *set)
{
	_cleanup_(grub_menu_freep) struct grub_menu *m = NULL;
	struct grub_boot boot = GRUB_BOOT_INIT;
	struct err err = ERR_INIT;

	out->once = true;
	if (grub_menu_probe(files, &grub_limits_default, &m, &err) < 0)
		out->why = xstrdup(err.text);
	else if (start(m, set, &boot, &out->why) == 0)
		entry_set(&out->chosen, "", &boot, set->more);
	grub_boot_fini(&boot);
}

static void take_default(struct boots *out, struct grub_menu *m, struct grub_files *files,
                         const struct boots_settings *set)
{
	_cleanup_(files_after_fini) struct files_after after = {.dir = NULL};
	struct grub_boot boot = GRUB_BOOT_INIT;

	if (start(m, set, &boot, &out->why) == 0) {
		entry_set(&out->next, "", &boot, set->more);
		if (set->writes && files_after_init(&after, files, &boot))
			take_second(out, &after.files, set);
		else
			entry_set(&out->chosen, "", &boot, set->more);
	}
	grub_boot_fini(&boot);
}

static enum boots_dialect dialect_of(enum grub_dialect dialect)
{
	switch (dialect) {
	case GRUB_EXTLINUX:
		return BOOTS_EXTLINUX;
	case GRUB_LEGACY:
		return BOOTS_LEGACY;
	case GRUB_BLS:
		return BOOTS_BLS;
	case GRUB_SCRIPT:
		break;
	}
	return BOOTS_GRUB;
}

int boots_read(struct grub_files *files, const struct boots_settings *set, struct boots *out,
               struct err *err)
{
	_cleanup_(grub_menu_freep) struct grub_menu *m = NULL;
	struct walk_menu w = {.out = out, .more = set->more, .left = BOOTS_ENTRIES_MAX};
	int rc = grub_menu_probe(files, &grub_limits_default, &m, err);

	if (rc < 0)
		return rc;
	*out = (struct boots){
	        .dialect = dialect_of(m->dialect),
	        .dev = m->dev,
	        .path = xstrdup(m->path ? m->path : ""),
	};
	take_menu(&w, m, "", 0);
	take_default(out, m, files, set);
	return 0;
}
