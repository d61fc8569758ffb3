/* SPDX-License-Identifier: MIT */
/* GRUB 2's own menus: grub.cfg. */
#include "base/mem.h"
#include "grub/boot.h"
#include "grub/context.h"
#include "grub/number.h"
#include "grub/texts.h"

#include <limits.h>
#include <string.h>

/* Variables that GRUB sets before the first line; menus test them. */
static const char *const features[] = {
        "feature_200_final",
        "feature_all_video_module",
        "feature_chainloader_bpb",
        "feature_default_font_path",
        "feature_menuentry_id",
        "feature_menuentry_options",
        "feature_nativedisk_cmd",
        "feature_ntldr",
        "feature_platform_search_hint",
        "feature_timeout_style",
};

static int set_file_vars(struct exec *x, const struct grub_menu *m, struct err *err)
{
	_cleanup_(buf_fini) struct buf file = BUF_INIT;
	const char *dev = x->files->device_count ? x->files->devices[m->dev].name : "";
	struct str dir;
	int rc;

	buf_putf(&file, "(%s)%s", dev, m->path);
	dir = dir_of(buf_str(&file));
	rc = exec_set(x, "config_file", buf_str(&file), err);
	if (rc == 0)
		rc = exec_set(x, "config_directory", dir, err);
	if (rc == 0)
		rc = exec_set(x, "prefix", dir, err);
	if (rc == 0)
		rc = exec_set(x, "cmdpath", dir, err);
	return rc < 0 ? rc : exec_set(x, "root", str_from(dev), err);
}

int script_set_vars(struct exec *x, const struct grub_menu *m, struct err *err)
{
	static const char *const exported[] = {
	        "root",     "prefix",        "config_file", "config_directory", "cmdpath",
	        "grub_cpu", "grub_platform", "pager",       "color_normal",     "color_highlight"};
	int rc = set_file_vars(x, m, err);

	if (rc == 0)
		rc = exec_set(x, "grub_cpu", STR("x86_64"), err);
	if (rc == 0)
		rc = exec_set(x, "grub_platform", STR("xen"), err);
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(exported); i++)
		rc = env_export(&x->env, str_from(exported[i]), err);
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(features); i++) {
		rc = exec_set(x, features[i], STR("y"), err);
		if (rc == 0)
			rc = env_export(&x->env, str_from(features[i]), err);
	}
	return rc;
}

/* As GRUB has it: what follows the number does not count. */
static long timeout_of(const char *text)
{
	int64_t seconds;

	if (!number_parse(text, &seconds) || seconds < 0)
		return GRUB_WAIT;
	return (long)MIN(seconds, INT_MAX / 1000) * 1000;
}

void script_finish(struct exec *x, struct grub_menu *m)
{
	struct str style = exec_get(x, "timeout_style");

	set_text(&m->default_, exec_get(x, "default"));
	set_text(&m->fallback, exec_get(x, "fallback"));
	m->timeout = timeout_of(exec_get(x, "timeout").p);
	if (str_is(style, "countdown"))
		m->style = GRUB_STYLE_COUNTDOWN;
	else if (str_is(style, "hidden"))
		m->style = GRUB_STYLE_HIDDEN;
	m->locked = env_isset(&x->env, STR("superusers"));
	env_fini(&m->context->env);
	m->context->env = x->env;
	env_init(&x->env, x->limits);
}

void script_hand_over(struct exec *x, struct grub_menu *m)
{
	struct grub_texts own = m->warnings;

	m->warnings = x->boot.warnings;
	texts_copy(&m->warnings, &own);
	texts_fini(&own);
	buf_fini(&m->output);
	m->output = x->boot.output;
	writes_fini(&m->writes);
	m->writes = x->boot.writes;
	x->boot.warnings = (struct grub_texts){0};
	x->boot.output = (struct buf)BUF_INIT;
	x->boot.writes = (struct grub_writes){0};
}

static void swap_menus(struct grub_menu *a, struct grub_menu *b)
{
	struct grub_menu tmp = *a;

	*a = *b;
	*b = tmp;
}

/* A script that boots by itself becomes a menu of one entry: itself. */
static void add_self(struct grub_menu *m, struct str text)
{
	struct grub_entry *e = grub_menu_add(m);

	if (!e)
		return;
	set_text(&e->title, str_from(m->path));
	set_text(&e->id, str_from(m->path));
	set_text(&e->body, text);
}

static int script_load(struct grub_menu *m, struct str text, struct err *err)
{
	_cleanup_(exec_fini) struct exec x;
	int rc;

	exec_init(&x, m);
	x.menu = m;
	rc = script_set_vars(&x, m, err);
	if (rc == 0)
		rc = exec_text(&x, m->path, text, false, err);
	if (rc < 0)
		return rc;
	if (x.flow == FLOW_MENU) {
		swap_menus(m, x.next);
	} else {
		if (!m->n && x.boot.kernel.path && !x.broken.code)
			add_self(m, text);
		script_finish(&x, m);
	}
	script_hand_over(&x, m);
	return 0;
}

/* "chosen" as GRUB has it: the ids that led here; a '>' in one is doubled. */
static void put_chosen(const struct grub_menu *m, const struct grub_entry *e, struct buf *out)
{
	buf_puts(out, m->context->chosen);
	if (out->n)
		buf_puts(out, ">");
	for (const char *p = e->id; *p; p++) {
		buf_put(out, p, 1);
		if (*p == '>')
			buf_put(out, p, 1);
	}
}

/* In a submenu $default is what follows the first '>', whichever entry comes before it. */
static int set_default(struct exec *x, const struct grub_menu *m, struct err *err)
{
	struct str rest = menu_spec_rest(str_from(m->default_));

	env_unset(&x->env, STR("default"));
	return rest.n ? exec_set(x, "default", rest, err) : 0;
}

/* The cause is often an earlier warning of the entry, such as a failed search. */
static int explain(const struct grub_boot *boot, struct err *err)
{
	const struct grub_texts *w = &boot->warnings;
	_free_ char *text = NULL;

	if (w->n > 1 && !strstr(w->v[0], err->text)) {
		text = xasprintf("%s; before that: %s", err->text, w->v[0]);
		return err_set(err, err->code, "%s", text);
	}
	return -(int)err->code;
}

int script_result(struct exec *x, struct grub_boot *boot, struct grub_menu **next, struct err *err)
{
	if (x->flow == FLOW_MENU) {
		script_hand_over(x, x->next);
		*next = take(&x->next);
		return 1;
	}
	*boot = x->boot;
	x->boot = (struct grub_boot)GRUB_BOOT_INIT;
	if (x->broken.code) {
		*err = x->broken;
		return explain(boot, err);
	}
	if (!boot->kernel.path)
		return err_set(err, ERR_FORMAT, "the entry loads no kernel");
	return 0;
}

static int script_enter(struct grub_menu *m, const struct grub_entry *e, struct str body,
                        struct grub_boot *boot, struct grub_menu **next, struct err *err)
{
	_cleanup_(grub_menu_freep) struct grub_menu *below = NULL;
	_cleanup_(texts_fini) struct grub_texts args = {0};
	_cleanup_(buf_fini) struct buf chosen = BUF_INIT;
	_cleanup_(exec_fini) struct exec x;
	int rc;

	exec_init(&x, m);
	env_fini(&x.env);
	env_copy(&x.env, &m->context->env, e->submenu);
	writes_copy(&x.boot.writes, &m->writes);
	texts_copy(&args, &e->args);
	x.args = &args;
	put_chosen(m, e, &chosen);
	if (e->submenu) {
		below = menu_new(GRUB_SCRIPT, x.files, x.limits, m->dev, str_from(m->path));
		below->part = true;
		set_text(&below->title, str_from(e->title));
		set_text(&below->context->chosen, buf_str(&chosen));
		x.menu = below;
	}
	rc = exec_set(&x, "chosen", buf_str(&chosen), err);
	if (rc == 0)
		rc = env_export(&x.env, STR("chosen"), err);
	if (rc == 0)
		rc = set_default(&x, m, err);
	if (rc == 0)
		rc = exec_text(&x, "entry", body, true, err);
	if (rc < 0)
		return rc;
	if (x.flow == FLOW_RETURN)
		x.flow = FLOW_ON;
	if (below && x.flow == FLOW_ON && !below->n && !x.boot.kernel.path)
		return err_set(err, ERR_NOENT, "the submenu has no entries");
	if (below && x.flow != FLOW_MENU && below->n) {
		script_finish(&x, below);
		x.next = take(&below);
		x.flow = FLOW_MENU;
	}
	return script_result(&x, boot, next, err);
}

const struct dialect dialect_script = {"grub.cfg", script_load, script_enter};
