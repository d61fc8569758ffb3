/* SPDX-License-Identifier: MIT */
/* Reading the configuration; extlinux_enter.c evaluates entries. */
#include "base/mem.h"
#include "grub/context.h"
#include "grub/device.h"
#include "grub/extlinux.h"
#include "grub/extlinux_enter.h"
#include "grub/texts.h"

#include <limits.h>
#include <string.h>

/* The lines that make an entry's body, or that all entries begin with. */
struct lines {
	struct buf kernel; /* "LINUX file", "KERNEL file", "CONFIG file" or what is refused */
	struct buf initrd;
	struct buf append;
};

struct load {
	struct grub_menu *m;
	struct lines global, own;
	struct buf label, title;
	bool in_label, in_text, disabled, ui, prompt, ontimeout;
	uint64_t tenths;
	unsigned includes;
	/* A submenu whose lines are being collected. */
	unsigned below;
	struct buf sub_body, sub_title, sub_tag;
};

static void lines_fini(struct lines *l)
{
	buf_fini(&l->kernel);
	buf_fini(&l->initrd);
	buf_fini(&l->append);
}

static void load_fini(struct load *l)
{
	lines_fini(&l->global);
	lines_fini(&l->own);
	buf_fini(&l->label);
	buf_fini(&l->title);
	buf_fini(&l->sub_body);
	buf_fini(&l->sub_title);
	buf_fini(&l->sub_tag);
}

static void set_buf(struct buf *b, const char *keyword, struct str value)
{
	buf_reset(b);
	if (*keyword)
		buf_putf(b, "%s ", keyword);
	buf_put(b, value.p, value.n);
}

/* "MENU LABEL ^Title": the caret marks a hotkey. */
static void set_title(struct buf *b, struct str value)
{
	buf_reset(b);
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] != '^')
			buf_put(b, value.p + i, 1);
}

static void put_line(struct buf *body, const struct buf *own, const struct buf *global)
{
	const struct buf *line = own->n ? own : global;

	if (line->n)
		buf_putf(body, "%s\n", line->p);
}

static void put_lines(struct buf *body, const struct lines *own, const struct lines *global)
{
	put_line(body, &own->kernel, &global->kernel);
	put_line(body, &own->initrd, &global->initrd);
	if (strcmp(own->append.n ? own->append.p : "", "APPEND -") != 0)
		put_line(body, &own->append, &global->append);
}

static int full(const struct load *l, struct err *err)
{
	return err_set(err, ERR_LIMIT, "more than %zu entries", l->m->context->limits->entries);
}

static int end_label(struct load *l, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct grub_entry *e;

	if (l->in_label && !l->disabled) {
		if (!l->own.kernel.n && !l->global.kernel.n && !str_is(buf_str(&l->label), "-"))
			set_buf(&l->own.kernel, "KERNEL", buf_str(&l->label));
		put_lines(&body, &l->own, &l->global);
		e = grub_menu_add(l->m);
		if (!e)
			return full(l, err);
		set_text(&e->title, buf_str(l->title.n ? &l->title : &l->label));
		set_text(&e->id, buf_str(&l->label));
		set_text(&e->body, buf_str(&body));
	}
	buf_reset(&l->own.kernel);
	buf_reset(&l->own.initrd);
	buf_reset(&l->own.append);
	buf_reset(&l->title);
	l->in_label = l->disabled = false;
	return 0;
}

static int begin_label(struct load *l, struct str name, struct err *err)
{
	int rc = end_label(l, err);

	set_buf(&l->label, "", name);
	l->in_label = true;
	return rc;
}

static int begin_sub(struct load *l, struct str tag, struct err *err)
{
	int rc = end_label(l, err);

	l->below = 1;
	set_buf(&l->sub_tag, "", tag);
	set_buf(&l->sub_title, "", tag.n ? tag : STR("Submenu"));
	buf_reset(&l->sub_body);
	put_lines(&l->sub_body, &l->global, &l->global);
	return rc;
}

static int end_sub(struct load *l, struct err *err)
{
	struct grub_entry *e = grub_menu_add(l->m);

	l->below = 0;
	if (!e)
		return full(l, err);
	set_text(&e->title, buf_str(&l->sub_title));
	set_text(&e->id, buf_str(l->sub_tag.n ? &l->sub_tag : &l->sub_title));
	set_text(&e->body, buf_str(&l->sub_body));
	e->submenu = true;
	return 0;
}

/* A line between MENU BEGIN and its MENU END. */
static int collect(struct load *l, enum extlinux_word word, struct str rest, struct str line,
                   struct err *err)
{
	l->below += word == EXT_MENU_BEGIN;
	if (word == EXT_MENU_END && --l->below == 0)
		return end_sub(l, err);
	if (word == EXT_MENU_TITLE && l->below == 1)
		set_title(&l->sub_title, rest);
	buf_put(&l->sub_body, line.p, line.n);
	buf_puts(&l->sub_body, "\n");
	return 0;
}

static int read_text(struct load *l, struct str text, struct err *err);

/* A missing file is only a warning: the rest of the menu may be enough. */
static int include(struct load *l, struct str rest, struct err *err)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT, text = BUF_INIT;
	struct grub_files *files = l->m->context->files;
	const struct grub_limits *limits = l->m->context->limits;
	struct str name = extlinux_cut(&rest);
	struct err why = ERR_INIT;
	int rc;

	if (++l->includes > limits->calls)
		return err_set(err, ERR_LIMIT, "more than %zu files included", limits->calls);
	if (!files->device_count)
		return 0;
	extlinux_path(l->m, name, &path);
	if (files->ops->read(files, l->m->dev, buf_str(&path), limits->config, &text, &why) < 0) {
		menu_warn(l->m, "INCLUDE %.*s: %s", STR_ARG(name), why.text);
		return 0;
	}
	rc = read_text(l, buf_str(&text), err);
	return rc < 0 ? err_prefix(err, "%s", path.p) : rc;
}

static bool is_module(struct str name)
{
	return str_ends(name, ".c32");
}

/* Lines that belong to a label, or before any label to all of them. */
static void take_line(struct load *l, enum extlinux_word word, struct str rest, struct str line)
{
	struct lines *to = l->in_label ? &l->own : &l->global;
	struct str name = rest;

	if (word == EXT_LINUX)
		set_buf(&to->kernel, "LINUX", rest);
	else if (word == EXT_KERNEL)
		set_buf(&to->kernel, "KERNEL", rest);
	else if (word == EXT_INITRD)
		set_buf(&to->initrd, "INITRD", rest);
	else if (word == EXT_APPEND)
		set_buf(&to->append, "APPEND", rest);
	else if (l->in_label && word == EXT_CONFIG)
		set_buf(&to->kernel, "CONFIG", rest);
	else if (l->in_label && word == EXT_COM32 && is_module(extlinux_cut(&name)))
		set_buf(&to->kernel, "KERNEL", rest);
	else if (l->in_label && (word == EXT_REFUSED || word == EXT_COM32))
		set_buf(&to->kernel, "", line);
}

static int take_word(struct load *l, enum extlinux_word word, struct str rest, struct err *err)
{
	struct str name = rest;
	uint64_t v;

	switch (word) {
	case EXT_DEFAULT:
		if (is_module(extlinux_cut(&name)))
			l->ui = true;
		else if (!l->ontimeout)
			set_text(&l->m->default_, rest);
		return 0;
	case EXT_ONTIMEOUT:
		l->ontimeout = true;
		set_text(&l->m->default_, rest);
		return 0;
	case EXT_TIMEOUT:
		if (str_u64(rest, 10, INT_MAX / 100, &v))
			l->tenths = v;
		return 0;
	case EXT_PROMPT:
		l->prompt = !str_is(rest, "0");
		return 0;
	case EXT_UI:
		l->ui = true;
		return 0;
	case EXT_INCLUDE:
		return include(l, rest, err);
	case EXT_LABEL:
		return begin_label(l, rest, err);
	case EXT_MENU_BEGIN:
		return begin_sub(l, rest, err);
	case EXT_MENU_TITLE:
		set_text(&l->m->title, rest);
		return 0;
	case EXT_MENU_HIDDEN:
		l->m->style = GRUB_STYLE_HIDDEN;
		return 0;
	case EXT_MENU_LABEL:
		set_title(&l->title, rest);
		return 0;
	case EXT_MENU_DEFAULT:
		if (l->in_label && !l->ontimeout)
			set_text(&l->m->default_, buf_str(&l->label));
		return 0;
	case EXT_MENU_DISABLE:
	case EXT_MENU_GOTO:
		l->disabled = true;
		return 0;
	default:
		return 0;
	}
}

static int read_text(struct load *l, struct str text, struct err *err)
{
	struct str rest, line;
	enum extlinux_word word;
	int rc = 0;

	while (rc == 0 && extlinux_line(&text, &word, &rest, &line)) {
		if (l->below) {
			rc = collect(l, word, rest, line, err);
		} else if (l->in_text) {
			l->in_text = word != EXT_ENDTEXT;
		} else if (word == EXT_TEXT) {
			l->in_text = true;
		} else {
			take_line(l, word, rest, line);
			rc = take_word(l, word, rest, err);
		}
	}
	return rc;
}

/* The default is a label, even if it looks like a number: make it its entry's number. */
static bool set_default(struct grub_menu *m, struct str label)
{
	_cleanup_(buf_fini) struct buf number = BUF_INIT;
	size_t i = 0;

	while (i < m->n && !str_is(label, m->entries[i].id))
		i++;
	buf_putf(&number, "%zu", i);
	if (i < m->n)
		set_text(&m->default_, buf_str(&number));
	return i < m->n;
}

/* The default is a label in a submenu, at any depth: that submenu opens with it as its default. */
static bool set_default_below(struct grub_menu *m, struct str label)
{
	for (size_t i = 0; i < m->n; i++) {
		_cleanup_(buf_fini) struct buf place = BUF_INIT;
		struct str text = str_from(m->entries[i].body), rest, line;
		enum extlinux_word word;

		while (m->entries[i].submenu && extlinux_line(&text, &word, &rest, &line)) {
			if (word != EXT_LABEL || !str_eq(rest, label))
				continue;
			buf_putf(&place, "%zu>%.*s", i, STR_ARG(label));
			set_text(&m->default_, buf_str(&place));
			return true;
		}
	}
	return false;
}

/* "DEFAULT label more args": appended to the entry's own. */
static void add_args(struct grub_entry *e, struct str args)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct str text = str_from(e->body), last = text;

	for (size_t i = 0; i + 1 < text.n; i++)
		if (text.p[i] == '\n')
			last = str_drop(text, i + 1);
	buf_put(&body, text.p, text.n);
	if (body.n && str_starts(last, "APPEND ")) {
		body.n--;
		buf_putf(&body, " %.*s\n", STR_ARG(args));
	} else {
		buf_putf(&body, "APPEND %.*s\n", STR_ARG(args));
	}
	set_text(&e->body, buf_str(&body));
}

static bool is_file(const struct grub_menu *m, struct str name)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	struct grub_files *files = m->context->files;
	struct err ignored;

	extlinux_path(m, name, &path);
	return files->device_count && file_check(files, m->dev, buf_str(&path), &ignored) == 0;
}

/* An entry of its own for "vmlinuz root=/dev/xvda1". */
static int add_command(struct load *l, struct str name, struct str args, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct grub_entry *e;

	buf_putf(&body, "KERNEL %.*s\n", STR_ARG(name));
	put_line(&body, &l->global.initrd, &l->global.initrd);
	if (args.n || l->global.append.n)
		buf_putf(&body, "%s%s%.*s\n", l->global.append.n ? l->global.append.p : "APPEND",
		         args.n ? " " : "", STR_ARG(args));
	e = grub_menu_add(l->m);
	if (!e)
		return full(l, err);
	set_text(&e->title, str_from(l->m->default_));
	set_text(&e->id, str_from(l->m->default_));
	set_text(&e->body, buf_str(&body));
	if (l->m->n > 1) {
		_cleanup_(buf_fini) struct buf number = BUF_INIT;

		buf_putf(&number, "%zu", l->m->n - 1);
		set_text(&l->m->default_, buf_str(&number));
	}
	return 0;
}

/* DEFAULT is a label, a label with more arguments, or a command: a kernel and its arguments. */
static int end_default(struct load *l, struct err *err)
{
	_free_ char *command = xstrdup(l->m->default_);
	struct str rest = str_from(command), name;

	if (!rest.n || set_default(l->m, rest) || set_default_below(l->m, rest))
		return 0;
	name = extlinux_cut(&rest);
	if (set_default(l->m, name)) {
		if (rest.n)
			add_args(&l->m->entries[grub_menu_default(l->m)], rest);
		return 0;
	}
	if (set_default_below(l->m, name))
		return 0;
	if (!l->m->n || is_file(l->m, name))
		return add_command(l, name, rest, err);
	menu_warn(l->m, "DEFAULT %s: neither a label nor a kernel file", command);
	set_text(&l->m->default_, STR("")); /* the first entry */
	return 0;
}

int extlinux_load(struct grub_menu *m, struct str text, struct err *err)
{
	_cleanup_(load_fini) struct load l = {.m = m};
	int rc = read_text(&l, text, err);

	if (rc == 0 && l.below)
		rc = end_sub(&l, err); /* a MENU END is missing */
	if (rc == 0)
		rc = end_label(&l, err);
	if (rc == 0)
		rc = end_default(&l, err);
	if (l.tenths)
		m->timeout = (long)l.tenths * 100;
	else
		m->timeout = l.ui || l.prompt ? GRUB_WAIT : 0;
	return rc;
}

const struct dialect dialect_extlinux = {"extlinux", extlinux_load, extlinux_enter};
