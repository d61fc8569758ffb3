/* SPDX-License-Identifier: MIT */
/* menuentry and submenu, and the commands that read other scripts. */
#include "base/mem.h"
#include "grub/command.h"
#include "grub/context.h"
#include "grub/device.h"
#include "grub/opts.h"
#include "grub/texts.h"

#include <string.h>

static const struct opt entry_opts[] = {
        {"class", '\0', OPT_TEXT},  {"users", '\0', OPT_TEXT}, {"hotkey", '\0', OPT_TEXT},
        {"source", '\0', OPT_TEXT}, {"id", '\0', OPT_TEXT},    {"unrestricted", '\0', OPT_FLAG},
};

static void set_option(struct grub_entry *e, int opt, struct str value)
{
	_cleanup_(buf_fini) struct buf classes = BUF_INIT;

	switch (opt) {
	case 0:
		buf_puts(&classes, e->classes);
		buf_puts(&classes, classes.n ? " " : "");
		buf_put(&classes, value.p, value.n);
		set_text(&e->classes, buf_str(&classes));
		break;
	case 1:
		set_text(&e->users, value);
		break;
	case 2:
		set_text(&e->hotkey, value);
		break;
	case 3:
		set_text(&e->body, value);
		break;
	case 4:
		set_text(&e->id, value);
		break;
	default:
		e->unrestricted = true;
	}
}

/* The lines of a block without the blank rests beside its braces. */
static void set_body(struct grub_entry *e, struct str block)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct str first = block, head = str_cut(&first, '\n');

	if (first.p && !str_trim(head).n)
		block = first;
	while (block.n && strchr(" \t\n", block.p[block.n - 1]))
		block.n--;
	buf_put(&body, block.p, block.n);
	buf_puts(&body, "\n");
	set_text(&e->body, buf_str(&body));
}

static int fill_entry(struct exec *x, struct grub_entry *e, struct grub_texts *argv)
{
	_cleanup_(opts_fini) struct opts o = OPTS_OVER(argv);
	struct err why = ERR_INIT;
	int opt;

	o.lenient = true;
	while ((opt = opts_next(&o, entry_opts, ARRAY_LEN(entry_opts), &why)) <
	       (int)ARRAY_LEN(entry_opts)) {
		if (opt < 0)
			return exec_fail(x, STATUS_BAD_ARGUMENT, "%s", why.text);
		set_option(e, opt, o.value);
	}
	if (!o.words.n)
		return exec_fail(x, STATUS_BAD_MENU, "an entry without a title");
	set_text(&e->title, str_from(o.words.v[0]));
	if (!*e->id)
		set_text(&e->id, str_from(o.words.v[0]));
	e->args = o.words;
	o.words = (struct grub_texts){0};
	e->submenu = strcmp(argv->v[0], "submenu") == 0;
	if (x->block.p)
		set_body(e, x->block);
	else if (!*e->body)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "an entry without a block");
	return STATUS_OK;
}

int exec_add_entry(struct exec *x, size_t bytes, struct grub_entry **out, struct err *err)
{
	struct grub_context *c = x->menu->context;

	if (exec_charge(x, bytes, err) < 0)
		return -ERR_LIMIT;
	c->bytes += bytes;
	*out = c->bytes > x->limits->memory ? NULL : grub_menu_add(x->menu);
	if (!*out)
		return err_set(err, ERR_LIMIT, "%s:%u: more than %zu entries or %zu bytes of them",
		               x->file, x->line, x->limits->entries, x->limits->memory);
	return 0;
}

int cmd_menuentry(struct exec *x, struct grub_texts *argv, struct err *err)
{
	struct grub_entry *e;
	int rc;

	if (!x->menu)
		return exec_fail(x, STATUS_OK, "a menu entry inside a menu entry is ignored");
	rc = exec_add_entry(x, x->block.p ? x->block.n : 0, &e, err);
	if (rc < 0)
		return rc;
	rc = fill_entry(x, e, argv);
	if (rc) {
		entry_fini(e);
		x->menu->n--;
	}
	return rc;
}

/* A file named by a script: 0, STATUS_FALSE after a warning, or -ERR_LIMIT. */
static int read_named(struct exec *x, struct str name, size_t *dev, struct buf *path,
                      struct buf *text, struct err *err)
{
	struct err why = ERR_INIT;
	struct file_base base = exec_base(x);
	int rc;

	if (x->calls >= x->limits->calls)
		return err_set(err, ERR_LIMIT, "%s:%u: more than %zu files and calls open", x->file,
		               x->line, x->limits->calls);
	rc = file_locate(&base, name, dev, path, NULL, &why);
	if (rc == 0 && text)
		rc = x->files->ops->read(x->files, *dev, buf_str(path), x->limits->config, text,
		                         &why);
	if (rc == 0)
		return exec_charge(x, EXEC_FILE_BYTES + (text ? text->n : 0), err);
	return exec_fail(x, STATUS_FALSE, "%.*s: %s", STR_ARG(name), why.text);
}

int cmd_source(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT, text = BUF_INIT;
	size_t dev;
	int rc;

	if (argv->n < 2)
		return exec_fail(x, STATUS_BAD_ARGUMENT, "a file name is missing");
	rc = read_named(x, str_from(argv->v[1]), &dev, &path, &text, err);
	if (rc)
		return rc < 0 ? rc : STATUS_OK; /* GRUB says nothing at all */
	x->calls++;
	rc = exec_text(x, path.p, buf_str(&text), false, err);
	x->calls--;
	return rc < 0 ? rc : x->status;
}

/* Run a configuration as a menu of its own, with exported variables only. */
static int nested_script(struct exec *x, struct grub_menu *m, struct str text, struct err *err)
{
	struct grub_texts *args = x->args;
	struct grub_menu *outer = x->menu;
	struct env env = x->env;
	_cleanup_(buf_fini) struct buf file = BUF_INIT;
	int rc = exec_charge(x, env.memory, err);

	if (rc < 0)
		return rc;
	env_copy(&x->env, &env, true);
	x->menu = m;
	x->args = NULL;
	x->calls++;
	buf_putf(&file, "(%s)%s", x->files->devices[m->dev].name, m->path);
	rc = exec_set(x, "config_file", buf_str(&file), err);
	if (rc == 0)
		rc = exec_set(x, "config_directory", dir_of(buf_str(&file)), err);
	if (rc == 0)
		rc = exec_text(x, m->path, text, false, err);
	if (rc == 0 && x->flow == FLOW_ON && m->n) {
		script_finish(x, m);
		x->flow = FLOW_MENU;
		x->next = m;
	}
	x->calls--;
	x->args = args;
	x->menu = outer;
	env_fini(&x->env);
	x->env = env;
	return rc;
}

static enum grub_dialect dialect_of(const char *command)
{
	if (strcmp(command, "syslinux_configfile") == 0)
		return GRUB_EXTLINUX;
	return strcmp(command, "legacy_configfile") == 0 ? GRUB_LEGACY : GRUB_SCRIPT;
}

int cmd_configfile(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(grub_menu_freep) struct grub_menu *m = NULL;
	_cleanup_(buf_fini) struct buf name = BUF_INIT, path = BUF_INIT, text = BUF_INIT;
	enum grub_dialect dialect = dialect_of(argv->v[0]);
	struct err why = ERR_INIT;
	size_t dev;
	int rc;

	if (argv->n > 1)
		buf_puts(&name, argv->v[1]);
	else if (strcmp(argv->v[0], "normal") == 0)
		buf_putf(&name, "%.*s/grub.cfg", STR_ARG(exec_get(x, "prefix")));
	else
		return exec_fail(x, STATUS_BAD_ARGUMENT, "a file name is missing");
	rc = read_named(x, buf_str(&name), &dev, &path, dialect ? NULL : &text, err);
	if (rc)
		return rc < 0 ? rc : STATUS_OK;
	if (dialect != GRUB_SCRIPT) {
		if (grub_menu_load(x->files, x->limits,
		                   &(struct grub_menu_file){dialect, dev, buf_str(&path)}, &x->next,
		                   &why) < 0)
			return exec_fail(x, STATUS_FALSE, "%s", why.text);
		x->flow = FLOW_MENU;
		return STATUS_OK;
	}
	m = menu_new(GRUB_SCRIPT, x->files, x->limits, dev, buf_str(&path));
	rc = nested_script(x, m, buf_str(&text), err);
	if (x->next == m)
		m = NULL;
	return rc;
}
