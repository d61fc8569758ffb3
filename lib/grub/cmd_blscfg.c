/* SPDX-License-Identifier: MIT */
/*
 * blscfg, in the GRUB of Fedora and RHEL: add a directory's entries to the menu.
 *
 *     blscfg [ "default" | "non-default" | "(" device ")" directory | file | ID ]
 *     blscfg [ -p directory ] [ -f ] [ -d ] [ -n ] [ -e file ]        GRUB 2.14
 *
 * An entry is the text of a script, put together from the lines of its file and
 * run when it is chosen; only variables in its options are replaced before.
 */
#include "base/mem.h"
#include "grub/blscfg.h"
#include "grub/blsdir.h"
#include "grub/command.h"
#include "grub/context.h"
#include "grub/device.h"
#include "grub/number.h"
#include "grub/opts.h"
#include "grub/texts.h"

#include <ctype.h>
#include <string.h>

/* What the words of the command ask for. */
struct request {
	struct str path; /* p NULL: $blsdir or /loader/entries on $root */
	struct str id;   /* this entry alone; p NULL: see the next two */
	bool defaults, others;
};

static const struct opt blscfg_opts[] = {
        {"path", 'p', OPT_TEXT},
        {"entry", 'e', OPT_TEXT},
        {"show-default", 'd', OPT_FLAG},
        {"show-non-default", 'n', OPT_FLAG},
        {"enable-fallback", 'f', OPT_FLAG},
};

static struct str without_conf(struct str id)
{
	if (blsdir_is_conf(id, false))
		id.n -= 5;
	return id;
}

/* "blscfg WORD"; it ignores two or more words. */
static void take_word(struct request *r, const struct grub_texts *words)
{
	struct str word = words->n == 1 ? str_from(words->v[0]) : STR("");

	if (str_is(word, "default"))
		r->defaults = true;
	else if (str_is(word, "non-default"))
		r->others = true;
	else if (str_starts(word, "(") || str_starts(word, "/"))
		r->path = word;
	else if (word.n)
		r->id = without_conf(word);
}

/* 0 or a status. o keeps what *r borrows. */
static int parse_request(struct exec *x, struct opts *o, struct request *r)
{
	struct err why = ERR_INIT;
	int opt;

	while ((opt = opts_next(o, blscfg_opts, ARRAY_LEN(blscfg_opts), &why)) <
	       (int)ARRAY_LEN(blscfg_opts)) {
		if (opt < 0)
			return exec_fail(x, STATUS_BAD_ARGUMENT, "%s", why.text);
		if (opt == 0)
			r->path = o->value;
		else if (opt == 1)
			r->id = without_conf(o->value);
		r->defaults = r->defaults || opt == 2;
		r->others = r->others || opt == 3;
	}
	take_word(r, &o->words);
	if (!r->id.p && !r->defaults && !r->others)
		r->defaults = r->others = true;
	return STATUS_OK;
}

static bool name_byte(char c)
{
	return c == '_' || isalnum((unsigned char)c);
}

/*
 * "a $kernelopts b": the value and a blank in place of name and blank. "\$" and "${" stay as
 * they are for the script to read. 0, 1 where $kernelopts has no value, or -ERR_LIMIT.
 */
static int expand(struct exec *x, const char *s, struct buf *out, struct err *err)
{
	int missing = 0;
	char before = '\0';

	while (*s) {
		struct str name = {s + 1, 0}, value;

		while (*s == '$' && before != '\\' && name_byte(name.p[name.n]))
			name.n++;
		if (!name.n) {
			before = *s;
			buf_put(out, s++, 1);
			continue;
		}
		value = env_get(&x->env, name);
		if (!value.n && str_is(name, "kernelopts"))
			missing = 1;
		buf_put(out, value.p, value.n);
		buf_puts(out, value.n ? " " : "");
		if (out->n > x->limits->value)
			return err_set(err, ERR_LIMIT, "options of more than %zu bytes",
			               x->limits->value);
		s = name.p + name.n;
		s += *s == ' ';
		before = '\0';
	}
	return missing;
}

/* The folder of the first ramdisk, or of the kernel, with the slash at its end. */
static struct str files_dir(const struct blscfg_entry *b)
{
	struct str dir = str_from(b->initrds.n ? b->initrds.v[0] : b->linux_);

	while (dir.n && dir.p[dir.n - 1] != '/')
		dir.n--;
	return dir;
}

static void put_initrds(struct exec *x, const struct blscfg_entry *b, struct buf *body)
{
	struct str early = exec_get(x, "early_initrd"), dir = files_dir(b);
	size_t start = body->n;

	while (early.p) {
		struct str one = str_cut(&early, ' ');

		if (one.n)
			buf_putf(body, " ($root)%.*s%.*s", STR_ARG(dir), STR_ARG(one));
	}
	for (size_t i = 0; i < b->initrds.n; i++)
		buf_putf(body, " ($root)%s", b->initrds.v[i]);
	if (body->n == start)
		return;
	buf_puts(body, "\n");
}

/* As expand(). */
static int put_body(struct exec *x, const struct blscfg_entry *b, struct buf *body, struct err *err)
{
	_cleanup_(buf_fini) struct buf options = BUF_INIT, initrds = BUF_INIT;
	const char *text = b->options;
	int rc;

	if (!text && env_isset(&x->env, STR("default_kernelopts")))
		text = exec_get(x, "default_kernelopts").p;
	rc = expand(x, text ? text : "", &options, err);
	if (rc)
		return rc;
	if (str_is(exec_get(x, "save_default"), "true"))
		buf_puts(body, "savedefault\n");
	buf_putf(body, "linux ($root)%s%s%s\n", b->linux_, options.n ? " " : "",
	         options.n ? options.p : "");
	put_initrds(x, b, &initrds);
	if (initrds.n)
		buf_putf(body, "initrd%s", initrds.p);
	return 0;
}

static int fill_entry(struct exec *x, const struct blscfg_entry *b, struct grub_entry *e,
                      struct err *err)
{
	_cleanup_(buf_fini) struct buf classes = BUF_INIT, users = BUF_INIT;
	int rc = b->users ? expand(x, b->users, &users, err) : 0;

	if (rc < 0)
		return rc;
	texts_join(&b->classes, 0, &classes);
	set_text(&e->title, str_from(b->title ? b->title : b->linux_));
	set_text(&e->id, str_from(b->id));
	set_text(&e->classes, buf_str(&classes));
	if (users.n)
		set_text(&e->users, str_trim(buf_str(&users)));
	if (b->hotkey)
		set_text(&e->hotkey, str_from(b->hotkey));
	texts_add(&e->args, str_from(e->title));
	for (size_t i = 0; i < b->args.n; i++) {
		texts_add(&e->args, str_from(b->args.v[i]));
		e->unrestricted = e->unrestricted || strcmp(b->args.v[i], "--unrestricted") == 0;
	}
	return 0;
}

static int add_entry(struct exec *x, const struct blscfg_entry *b, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT;
	struct grub_entry *e;
	int rc = put_body(x, b, &body, err);

	if (rc == 1) {
		exec_warn(x, "%s.conf: skipped: its options use $kernelopts, which is not set",
		          b->id);
		return 0;
	}
	if (rc == 0)
		rc = exec_add_entry(x, body.n, &e, err);
	if (rc < 0)
		return rc;
	set_text(&e->body, buf_str(&body));
	return fill_entry(x, b, e, err);
}

static void take_file(void *arg, struct str name, struct str text)
{
	struct blscfg_entries *all = arg;

	GROW(all->v, all->n, all->cap);
	blscfg_parse(name, text, &all->v[all->n++]);
}

static int read_dir(struct exec *x, size_t dev, struct str name, struct blscfg_entries *all,
                    struct err *why)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	struct blsdir d = {x->files, x->limits, dev, {NULL, 0}, false};

	path_tidy(name, &path);
	d.path = buf_str(&path);
	return blsdir_read(&d, take_file, all, &x->boot.warnings, why);
}

/* One file, "(dev)/folder/NAME.conf". */
static int read_file(struct exec *x, size_t dev, struct str path, struct blscfg_entries *all,
                     struct err *why)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct str name = path;
	int rc = x->files->ops->read(x->files, dev, path, x->limits->config, &text, why);

	if (rc < 0)
		return rc;
	while (memchr(name.p, '/', name.n))
		(void)str_cut(&name, '/');
	take_file(all, name, buf_str(&text));
	return 0;
}

/* $blsdir or /loader/entries; where those have nothing, below /boot. 0 or -ERR_*. */
static int read_usual(struct exec *x, struct blscfg_entries *all, struct err *why)
{
	struct str dir = exec_get(x, "blsdir");
	struct err first = ERR_INIT;
	size_t dev = 0;
	struct file_base base = exec_base(x);
	int rc = device_locate(&base, base.root, &dev, NULL, why);

	if (rc < 0)
		return rc;
	rc = read_dir(x, dev, dir.n ? dir : STR("/loader/entries"), all, &first);
	if (all->n || read_dir(x, dev, STR("/boot/loader/entries"), all, why) == 0)
		return 0;
	if (rc < 0)
		*why = first;
	return rc;
}

static int read_entries(struct exec *x, const struct request *r, struct blscfg_entries *all,
                        struct err *why)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	struct file_base base = exec_base(x);
	size_t dev = 0;
	int rc;

	if (!r->path.p)
		return read_usual(x, all, why);
	rc = file_locate(&base, r->path, &dev, &path, NULL, why);
	if (rc < 0)
		return rc;
	return blsdir_is_conf(r->path, false) ? read_file(x, dev, buf_str(&path), all, why)
	                                      : read_dir(x, dev, buf_str(&path), all, why);
}

/* Does $default name it: by id, title, or number among all entries? */
static bool is_default(struct exec *x, const struct blscfg_entry *b, size_t i)
{
	struct str name = exec_get(x, "default");
	int64_t v;

	if (str_is(name, b->id) || (b->title && str_is(name, b->title)))
		return true;
	return name.n && number_parse(name.p, &v) && v >= 0 && (uint64_t)v == i;
}

/* Did an earlier blscfg add it? */
static bool is_there(const struct grub_menu *m, const struct blscfg_entry *b)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->entries[i].id, b->id) == 0)
			return true;
	return false;
}

static bool is_wanted(struct exec *x, const struct request *r, const struct blscfg_entry *b,
                      size_t i)
{
	bool chosen = is_default(x, b, i);

	if (!b->linux_)
		return false; /* an EFI program, as a rule */
	return (r->defaults && chosen) || (r->others && !chosen) ||
	       (r->id.p && str_is(r->id, b->id));
}

static int add_entries(struct exec *x, const struct request *r, struct blscfg_entries *all,
                       struct err *err)
{
	size_t before = x->menu->n;
	int rc = 0;

	blscfg_sort(all);
	for (size_t i = 0; rc == 0 && i < all->n; i++) {
		rc = exec_charge(x, all->v[i].bytes + before, err);
		if (rc == 0 && is_wanted(x, r, &all->v[i], i) &&
		    (!before || !is_there(x->menu, &all->v[i])))
			rc = add_entry(x, &all->v[i], err);
	}
	return rc;
}

int cmd_blscfg(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(blscfg_entries_fini) struct blscfg_entries all = {.v = NULL};
	_cleanup_(opts_fini) struct opts o = OPTS_OVER(argv);
	struct request r = {.path = {NULL, 0}};
	struct err why = ERR_INIT;
	int rc = exec_charge(x, 64 * 256, err);

	if (rc == 0)
		rc = parse_request(x, &o, &r);
	if (rc)
		return rc;
	if (!x->menu)
		return exec_fail(x, STATUS_OK, "menu entries inside a menu entry are ignored");
	if (read_entries(x, &r, &all, &why) < 0)
		return exec_fail(x, STATUS_NO_FILE, "no directory of entries: %s", why.text);
	return add_entries(x, &r, &all, err);
}
