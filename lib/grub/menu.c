/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/boot.h"
#include "grub/context.h"
#include "grub/number.h"
#include "grub/texts.h"

#include <stdio.h>
#include <string.h>

static const struct dialect *const dialects[] = {
        [GRUB_SCRIPT] = &dialect_script,
        [GRUB_EXTLINUX] = &dialect_extlinux,
        [GRUB_LEGACY] = &dialect_legacy,
        [GRUB_BLS] = &dialect_bls,
};

struct grub_menu *menu_new(enum grub_dialect dialect, struct grub_files *files,
                           const struct grub_limits *limits, size_t dev, struct str path)
{
	struct grub_menu *m = xcalloc(1, sizeof *m);

	m->dialect = dialect;
	m->dev = dev;
	m->path = str_dup(path);
	m->title = xstrdup("");
	m->default_ = xstrdup("");
	m->fallback = xstrdup("");
	m->timeout = GRUB_WAIT;
	m->context = xcalloc(1, sizeof *m->context);
	m->context->files = files;
	m->context->limits = limits;
	m->context->chosen = xstrdup("");
	env_init(&m->context->env, limits);
	return m;
}

void set_text(char **to, struct str text)
{
	char *s = str_dup(text);

	free(*to);
	*to = s;
}

struct grub_entry *grub_menu_add(struct grub_menu *menu)
{
	struct grub_entry *e;

	if (menu->n >= menu->context->limits->entries)
		return NULL;
	GROW(menu->entries, menu->n, menu->cap);
	e = &menu->entries[menu->n++];
	*e = (struct grub_entry){.title = xstrdup(""),
	                         .id = xstrdup(""),
	                         .classes = xstrdup(""),
	                         .body = xstrdup("")};
	return e;
}

void entry_fini(struct grub_entry *e)
{
	free(e->title);
	free(e->id);
	free(e->classes);
	free(e->users);
	free(e->hotkey);
	free(e->counted);
	free(e->body);
	texts_fini(&e->args);
}

void grub_menu_free(struct grub_menu *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++)
		entry_fini(&m->entries[i]);
	free(m->entries);
	free(m->path);
	free(m->title);
	free(m->default_);
	free(m->fallback);
	texts_fini(&m->warnings);
	buf_fini(&m->output);
	writes_fini(&m->writes);
	env_fini(&m->context->env);
	free(m->context->chosen);
	free(m->context->base);
	buf_fini(&m->context->text);
	free(m->context);
	free(m);
}

void grub_menu_freep(struct grub_menu **menu)
{
	grub_menu_free(take(menu));
}

void menu_warn(struct grub_menu *menu, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (menu->warnings.n >= menu->context->limits->warnings)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	texts_add(&menu->warnings, str_from(text));
}

int menu_load_text(struct grub_files *files, const struct grub_limits *limits,
                   const struct grub_menu_file *file, struct str text, struct grub_menu **out,
                   struct err *err)
{
	_cleanup_(grub_menu_freep) struct grub_menu *m = NULL;
	int rc;

	m = menu_new(file->dialect, files, limits, file->dev, file->path);
	rc = dialects[file->dialect]->load(m, text, err);
	if (rc < 0)
		return rc;
	*out = take(&m);
	return 0;
}

int grub_menu_load(struct grub_files *files, const struct grub_limits *limits,
                   const struct grub_menu_file *file, struct grub_menu **out, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	int rc = 0;

	if (file->dialect != GRUB_BLS)
		rc = files->ops->read(files, file->dev, file->path, limits->config, &text, err);
	if (rc == 0)
		rc = menu_load_text(files, limits, file, buf_str(&text), out, err);
	return rc < 0 ? err_prefix(err, "(%s)%.*s", files->devices[file->dev].name,
	                           STR_ARG(file->path))
	              : 0;
}

int grub_menu_parse(struct grub_files *files, const struct grub_limits *limits,
                    enum grub_dialect dialect, struct str text, struct grub_menu **out,
                    struct err *err)
{
	const struct grub_menu_file file = {dialect, 0, STR("/grub/grub.cfg")};

	if (text.n > limits->config)
		return err_set(err, ERR_LIMIT,
		               "a menu file of %zu bytes, larger than the limit of %zu", text.n,
		               limits->config);
	return menu_load_text(files, limits, &file, text, out, err);
}

int grub_menu_enter(struct grub_menu *menu, size_t entry, struct str body, struct grub_boot *boot,
                    struct grub_menu **next, struct err *err)
{
	const struct grub_entry *e = &menu->entries[entry];
	_cleanup_(grub_boot_fini) struct grub_boot result = GRUB_BOOT_INIT;
	const struct grub_limits *limits = menu->context->limits;
	int rc;

	if (menu->context->depth >= limits->calls)
		return err_set(err, ERR_LIMIT, "menus nested deeper than %zu", limits->calls);
	if (body.n > limits->config)
		return err_set(err, ERR_LIMIT,
		               "a menu entry of %zu bytes, larger than the limit of %zu", body.n,
		               limits->config);
	rc = dialects[menu->dialect]->enter(menu, e, body.p ? body : str_from(e->body), &result,
	                                    next, err);
	if (rc == 1) {
		(*next)->context->depth = menu->context->depth + 1;
		return 1;
	}
	if (rc < 0)
		boot_unload(&result);
	else if (!result.args)
		result.args = xstrdup("");
	grub_boot_fini(boot);
	*boot = result;
	result = (struct grub_boot)GRUB_BOOT_INIT;
	return rc < 0 ? err_prefix(err, "%s", e->title) : 0;
}

/* Cut "a>b" at the first single '>'; ">>" is a '>' of the name. */
static struct str cut_level(struct str spec, struct buf *name)
{
	for (size_t i = 0; i < spec.n; i++) {
		if (spec.p[i] == '>') {
			if (i + 1 >= spec.n || spec.p[i + 1] != '>')
				return str_drop(spec, i + 1);
			i++;
		}
		buf_put(name, spec.p + i, 1);
	}
	return (struct str){NULL, 0};
}

struct str menu_spec_rest(struct str spec)
{
	_cleanup_(buf_fini) struct buf name = BUF_INIT;

	return cut_level(spec, &name);
}

static bool find_name(const struct grub_menu *menu, struct str name, size_t *entry)
{
	int64_t v;
	const char *end = number_parse(name.p, &v);

	/* As GRUB has it, a number may be followed by a blank and anything. */
	if (end && v >= 0 && (uint64_t)v < menu->n && (!*end || *end == ' ')) {
		*entry = (size_t)v;
		return true;
	}
	for (size_t i = 0; i < menu->n; i++)
		if (str_is(name, menu->entries[i].title) || str_is(name, menu->entries[i].id)) {
			*entry = i;
			return true;
		}
	return false;
}

int grub_menu_find(const struct grub_menu *menu, struct str spec, size_t *entry, struct str *rest,
                   struct err *err)
{
	_cleanup_(buf_fini) struct buf name = BUF_INIT;
	struct str tail = cut_level(spec, &name);

	if (!find_name(menu, buf_str(&name), entry))
		return err_set(err, ERR_NOENT, "no entry \"%.*s\" in %s", STR_ARG(buf_str(&name)),
		               menu->path);
	*rest = tail.n ? tail : (struct str){NULL, 0};
	return 0;
}

size_t grub_menu_default(const struct grub_menu *menu)
{
	size_t entry = 0;
	struct str rest;
	struct err ignored;

	if (*menu->default_)
		(void)grub_menu_find(menu, str_from(menu->default_), &entry, &rest, &ignored);
	return entry;
}

/* Warnings of the menus on the way come before the entry's own. */
static void say_first(struct grub_boot *boot, struct grub_texts *warnings, struct buf *output)
{
	texts_copy(warnings, &boot->warnings);
	texts_fini(&boot->warnings);
	boot->warnings = *warnings;
	buf_put(output, boot->output.p, boot->output.n);
	buf_fini(&boot->output);
	boot->output = *output;
}

/* One step: 0 and *boot, 1 and *next with *rest, or -ERR_*. */
static int step(struct grub_menu *menu, struct str spec, struct grub_boot *boot,
                struct grub_menu **next, struct str *rest, struct err *err)
{
	size_t entry = grub_menu_default(menu);
	int rc = 0;

	*rest = (struct str){NULL, 0};
	if (!menu->n)
		return err_set(err, ERR_NOENT, "%s: the menu has no entries", menu->path);
	if (spec.p)
		rc = grub_menu_find(menu, spec, &entry, rest, err);
	if (rc == 0)
		rc = grub_menu_enter(menu, entry, (struct str){NULL, 0}, boot, next, err);
	if (rc == 0 && rest->p)
		return err_set(err, ERR_NOENT, "%s is not a submenu, so it has no entry \"%.*s\"",
		               menu->entries[entry].title, STR_ARG(*rest));
	return rc;
}

/* One entry by name, or (p NULL) the default, through submenus to what boots. */
static int follow(struct grub_menu *menu, struct str spec, struct grub_boot *boot, struct err *err)
{
	_cleanup_(grub_menu_freep) struct grub_menu *below = NULL;
	struct grub_texts warnings = {0};
	struct buf output = BUF_INIT;
	struct grub_menu *next = NULL;
	struct str rest;
	int rc;

	while ((rc = step(menu, spec, boot, &next, &rest, err)) > 0) {
		grub_menu_free(below);
		below = menu = next;
		spec = rest;
		texts_copy(&warnings, &menu->warnings);
		buf_put(&output, menu->output.p, menu->output.n);
	}
	say_first(boot, &warnings, &output);
	return rc;
}

/* "fallback" is one name, taken whole, or several numbers. */
static int fall_back(struct grub_menu *menu, struct grub_boot *boot)
{
	struct str all = str_from(menu->fallback), one = all, rest;
	struct err ignored;
	size_t entry;

	if (grub_menu_find(menu, all, &entry, &rest, &ignored) == 0 &&
	    follow(menu, all, boot, &ignored) == 0)
		return 0;
	while (all.p) {
		one = str_cut(&all, ' ');
		if (one.n && follow(menu, one, boot, &ignored) == 0)
			return 0;
	}
	return -ERR_NOENT;
}

int grub_menu_auto(struct grub_menu *menu, struct str spec, struct grub_boot *boot, struct err *err)
{
	struct grub_boot other = GRUB_BOOT_INIT;
	int rc = follow(menu, spec, boot, err);

	if (rc == 0 || spec.p || !*menu->fallback)
		return rc;
	if (fall_back(menu, &other) < 0) {
		grub_boot_fini(&other);
		return rc; /* the default's error is the most useful one */
	}
	texts_give(&other.warnings, xasprintf("booting a fallback: %s", err->text));
	grub_boot_fini(boot);
	*boot = other;
	return 0;
}
