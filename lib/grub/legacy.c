/* SPDX-License-Identifier: MIT */
/*
 * GRUB legacy: menu.lst or grub.conf.
 *
 *     file = { setting } { "title" TEXT { command } }
 *
 * A line is a word, blanks or "=", and the rest; "#" begins a comment line.
 * Partitions count from 0.
 */
#include "base/mem.h"
#include "grub/boot.h"
#include "grub/context.h"
#include "grub/device.h"
#include "grub/texts.h"

#include <limits.h>
#include <string.h>

/* A line's first word; the rest is left in *line. */
static struct str cut_word(struct str *line)
{
	struct str word = {line->p, 0};

	while (word.n < line->n && !strchr(" \t=", line->p[word.n]))
		word.n++;
	*line = str_drop(*line, word.n);
	while (line->n && strchr(" \t=", line->p[0]))
		*line = str_drop(*line, 1);
	return word;
}

/* The next line that is not blank or a comment; false at the end. */
static bool next_line(struct str *text, struct str *line)
{
	while (text->p) {
		*line = str_trim(str_cut(text, '\n'));
		if (line->n && line->p[0] != '#')
			return true;
	}
	return false;
}

/* "default saved": the number in the file "default" beside the menu. */
static void set_saved(struct grub_menu *m)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT, text = BUF_INIT;
	struct grub_files *files = m->context->files;
	struct str rest, number;
	struct err ignored;
	uint64_t v;

	buf_putf(&path, "%.*s/default", STR_ARG(dir_of(str_from(m->path))));
	if (!files->device_count ||
	    files->ops->read(files, m->dev, buf_str(&path), 4096, &text, &ignored) < 0)
		return;
	rest = buf_str(&text);
	number = str_trim(str_cut(&rest, '\n'));
	if (str_u64(number, 10, INT_MAX, &v))
		set_text(&m->default_, number);
}

static void put_setting(struct grub_menu *m, struct str word, struct str value)
{
	uint64_t v;

	if (str_is(word, "default") && str_is(value, "saved"))
		set_saved(m);
	else if (str_is(word, "default"))
		set_text(&m->default_, value);
	else if (str_is(word, "fallback"))
		set_text(&m->fallback, value);
	else if (str_is(word, "timeout") && str_u64(value, 10, INT_MAX / 1000, &v))
		m->timeout = (long)v * 1000;
	else if (str_is(word, "hiddenmenu"))
		m->style = GRUB_STYLE_HIDDEN;
	else if (str_is(word, "password"))
		m->locked = true;
	else if (str_is(word, "root") || str_is(word, "uuid"))
		buf_putf(&m->context->text, "%.*s %.*s\n", STR_ARG(word), STR_ARG(value));
}

static struct grub_entry *add_title(struct grub_menu *m, struct str title)
{
	struct grub_entry *e = grub_menu_add(m);

	if (e) {
		set_text(&e->title, title);
		set_text(&e->id, title);
	}
	return e;
}

static void end_entry(struct grub_entry *e, struct buf *body)
{
	if (e)
		set_text(&e->body, buf_str(body));
	buf_reset(body);
}

static int legacy_load(struct grub_menu *m, struct str text, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct grub_entry *e = NULL;
	struct str line;

	while (next_line(&text, &line)) {
		struct str rest = line, word = cut_word(&rest);

		if (str_is(word, "title")) {
			end_entry(e, &body);
			e = add_title(m, rest);
			if (!e)
				return err_set(err, ERR_LIMIT, "more than %zu entries",
				               m->context->limits->entries);
		} else if (e) {
			buf_put(&body, line.p, line.n);
			buf_puts(&body, "\n");
		} else {
			put_setting(m, word, rest);
		}
	}
	end_entry(e, &body);
	return 0;
}

/* An entry while it is evaluated. */
struct run {
	struct grub_menu *m;
	struct grub_boot *boot;
	char *root; /* a device as legacy counts; "=" and a canonical name otherwise */
	struct grub_menu *next;
};

static void run_fini(struct run *r)
{
	free(r->root);
	grub_menu_free(r->next);
}

/*
 * If there is no device of that name, it stays the menu's own: people write
 * (hd0,0) even in guests without a partition table.
 */
static void set_root(struct run *r, struct str name)
{
	const struct grub_files *files = r->m->context->files;
	struct str rest = name;
	struct err why;
	size_t dev;

	name = str_cut(&rest, ' ');
	if (device_find(files, name, 0, &dev, &why) == 0)
		set_text(&r->root, name);
	else if (r->boot->warnings.n < r->m->context->limits->warnings)
		texts_give(&r->boot->warnings,
		           xasprintf("%s: taking (%s)", why.text, files->devices[r->m->dev].name));
}

static void set_uuid(struct run *r, struct str uuid)
{
	struct grub_files *files = r->m->context->files;

	for (size_t dev = 0; dev < files->device_count; dev++) {
		struct grub_probe probe = {.fs = ""};
		struct err ignored;

		if (files->ops->probe(files, dev, &probe, &ignored) < 0 ||
		    !str_is(uuid, probe.uuid))
			continue;
		free(r->root);
		r->root = xasprintf("=%s", files->devices[dev].name);
		return;
	}
}

static struct file_base base_of(const struct run *r)
{
	struct str root = str_from(r->root);
	unsigned first = str_starts(root, "=") ? 1 : 0;

	return (struct file_base){r->m->context->files, str_drop(root, first), first, r->m->dev};
}

static int set_file(struct run *r, struct str name, bool kernel, struct err *err)
{
	struct grub_files *files = r->m->context->files;
	struct file_base base = base_of(r);
	struct str path = name;

	if (str_starts(name, "(")) { /* an explicit device is always a legacy one */
		struct err ignored;
		size_t dev;

		str_cut(&path, ')');
		if (path.p) {
			struct str device = {name.p, (size_t)(path.p - name.p)};

			if (device_find(files, device, 0, &dev, &ignored) == 0)
				base.first = 0;
			else
				name = path;
		}
	}
	return kernel ? boot_set_kernel(r->boot, &base, name, err)
	              : boot_add_initrd(r->boot, &base, name, err);
}

static int run_kernel(struct run *r, struct str rest, struct err *err)
{
	struct str name = cut_word(&rest);
	int rc;

	while (str_starts(name, "--")) {
		bool value = rest.n && name.p[name.n] == '='; /* --type=linux */

		if (value)
			cut_word(&rest);
		name = cut_word(&rest);
	}
	boot_unload(r->boot);
	rc = set_file(r, name, true, err);
	if (rc == 0)
		r->boot->args = str_dup(rest);
	return rc;
}

static int run_initrd(struct run *r, struct str rest, struct err *err)
{
	int rc = 0;

	if (!r->boot->kernel.path)
		return err_set(err, ERR_FORMAT, "an initrd before a kernel");
	boot_drop_initrds(r->boot);
	while (rc == 0 && rest.n) {
		if (r->boot->initrd_count >= r->m->context->limits->initrds)
			return err_set(err, ERR_LIMIT, "more than %zu initrds",
			               r->m->context->limits->initrds);
		rc = set_file(r, cut_word(&rest), false, err);
	}
	return rc;
}

static int run_configfile(struct run *r, struct str name, struct err *err)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	struct grub_context *c = r->m->context;
	struct file_base base = base_of(r);
	size_t dev;
	int rc = file_locate(&base, name, &dev, &path, NULL, err);

	grub_menu_free(take(&r->next));
	return rc < 0 ? rc
	              : grub_menu_load(c->files, c->limits,
	                               &(struct grub_menu_file){GRUB_LEGACY, dev, buf_str(&path)},
	                               &r->next, err);
}

static int run_line(struct run *r, struct str line, struct err *err)
{
	struct str rest = line, word = cut_word(&rest);

	if (str_is(word, "root") || str_is(word, "rootnoverify"))
		set_root(r, rest);
	else if (str_is(word, "uuid"))
		set_uuid(r, rest);
	else if (str_is(word, "kernel"))
		return run_kernel(r, rest, err);
	else if (str_is(word, "initrd"))
		return run_initrd(r, rest, err);
	else if (str_is(word, "configfile"))
		return run_configfile(r, rest, err);
	return 0;
}

/* Something that only boots by itself, or needs the whole machine. */
static int check_refused(struct str text, struct err *err)
{
	struct str line, rest;

	while (next_line(&text, &line)) {
		rest = line;
		line = cut_word(&rest);
		if (str_is(line, "module") || str_is(line, "modulenounzip") ||
		    str_is(line, "chainloader"))
			return err_set(err, ERR_UNSUPPORTED,
			               "the entry boots by \"%.*s\"; a Xen guest needs a Linux "
			               "\"kernel\" and \"initrd\"",
			               STR_ARG(line));
	}
	return 0;
}

static int run_text(struct run *r, struct str text, struct err *err)
{
	struct str line;
	int rc = 0;

	while (rc == 0 && !r->next && next_line(&text, &line))
		rc = run_line(r, line, err);
	return rc;
}

static int legacy_enter(struct grub_menu *m, const struct grub_entry *e, struct str body,
                        struct grub_boot *boot, struct grub_menu **next, struct err *err)
{
	_cleanup_(run_fini) struct run r = {.m = m, .boot = boot};
	int rc;

	if (!m->context->files->device_count)
		return err_set(err, ERR_NOENT, "no disks to search");
	r.root = xasprintf("=%s", m->context->files->devices[m->dev].name);
	rc = check_refused(body, err);
	if (rc == 0)
		rc = run_text(&r, buf_str(&m->context->text), err);
	if (rc == 0)
		rc = run_text(&r, body, err);
	if (rc < 0)
		return rc;
	if (r.next) {
		*next = take(&r.next);
		return 1;
	}
	if (!boot->kernel.path)
		return err_set(err, ERR_FORMAT, "the entry names no kernel");
	return 0;
}

const struct dialect dialect_legacy = {"GRUB legacy", legacy_load, legacy_enter};
