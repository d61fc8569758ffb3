/* SPDX-License-Identifier: MIT */
/* blscfg, as Fedora and its kin have it: entries of a directory join the menu. */
#include "base/mem.h"
#include "grub/bls.h"
#include "grub/command.h"
#include "grub/context.h"
#include "grub/device.h"
#include "grub/lex.h"
#include "grub/texts.h"

#include <ctype.h>
#include <string.h>

/* A word of a script that means exactly this text. */
static void put_quoted(struct buf *out, struct str word)
{
	buf_puts(out, "'");
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] == '\'')
			buf_puts(out, "'\\'");
		buf_put(out, word.p + i, 1);
	}
	buf_puts(out, "'");
}

static bool plain(struct str word)
{
	for (size_t i = 0; i < word.n; i++)
		if (strchr("{}|&$;<>'\"\\#", word.p[i]))
			return false;
	return true;
}

/* "a $kernelopts b" with variables replaced; other dollars stay. */
static int put_expanded(struct exec *x, const char *s, struct buf *out, struct err *err)
{
	while (*s) {
		bool braced = s[0] == '$' && s[1] == '{';
		struct str name = {s + (braced ? 2 : 1), 0};

		while (*s == '$' &&
		       (name.p[name.n] == '_' || isalnum((unsigned char)name.p[name.n])))
			name.n++;
		if (lex_is_name(name) && (!braced || name.p[name.n] == '}')) {
			struct str value = env_get(&x->env, name);

			buf_put(out, value.p, value.n);
			s = name.p + name.n + braced;
		} else {
			buf_put(out, s++, 1);
		}
		if (out->n > x->limits->value)
			return err_set(err, ERR_LIMIT, "options of more than %zu bytes",
			               x->limits->value);
	}
	return 0;
}

/* The options as words of the script line. */
static int put_options(struct exec *x, const char *options, struct buf *body, struct err *err)
{
	_cleanup_(buf_fini) struct buf text = BUF_INIT;
	struct str rest;

	if (put_expanded(x, options, &text, err) < 0)
		return -ERR_LIMIT;
	for (size_t i = 0; i < text.n; i++)
		if (strchr("\t\r\n", text.p[i]))
			text.p[i] = ' ';
	rest = buf_str(&text);
	while (rest.p) {
		struct str word = str_cut(&rest, ' ');

		if (!word.n)
			continue;
		buf_puts(body, " ");
		if (plain(word))
			buf_put(body, word.p, word.n);
		else
			put_quoted(body, word);
	}
	return 0;
}

static void put_file(struct buf *body, const char *device, struct str path)
{
	_cleanup_(buf_fini) struct buf name = BUF_INIT;

	buf_putf(&name, "(%s)%s%.*s", device, str_starts(path, "/") ? "" : "/", STR_ARG(path));
	buf_puts(body, " ");
	if (plain(buf_str(&name)))
		buf_put(body, name.p, name.n);
	else
		put_quoted(body, buf_str(&name));
}

/* A line's files, which may be variables: "initrd $early_initrd /x.img". */
static int put_files(struct exec *x, const struct bls_entry *b, const char *device,
                     struct buf *body, struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < b->initrds.n; i++) {
		_cleanup_(buf_fini) struct buf names = BUF_INIT;
		struct str rest;

		if (put_expanded(x, b->initrds.v[i], &names, err) < 0)
			return -ERR_LIMIT;
		rest = buf_str(&names);
		while (rest.p) {
			struct str one = str_cut(&rest, ' ');

			if (!one.n)
				continue;
			buf_puts(body, any ? "" : "initrd");
			put_file(body, device, one);
			any = true;
		}
	}
	buf_puts(body, any ? "\n" : "");
	return 0;
}

static int put_body(struct exec *x, const struct bls_entry *b, const char *device, struct buf *body,
                    struct err *err)
{
	struct str options = b->options ? str_from(b->options) : exec_get(x, "default_kernelopts");
	int rc;

	if (!options.n && !b->options)
		options = exec_get(x, "kernelopts");
	if (!*b->linux_) {
		buf_puts(body, "chainloader");
		put_file(body, device, str_from(b->loader));
		buf_puts(body, "\n");
		return 0;
	}
	buf_puts(body, "linux");
	put_file(body, device, str_from(b->linux_));
	rc = put_options(x, options.p, body, err);
	buf_puts(body, "\n");
	return rc < 0 ? rc : put_files(x, b, device, body, err);
}

static int add_entry(struct exec *x, const struct bls_entries *all, const struct bls_entry *b,
                     const char *device, struct err *err)
{
	_cleanup_(buf_fini) struct buf body = BUF_INIT, title = BUF_INIT;
	struct grub_entry *e;
	int rc = put_body(x, b, device, &body, err);

	if (rc == 0)
		rc = exec_add_entry(x, body.n, &e, err);
	if (rc < 0)
		return rc;
	bls_title(all, b, &title);
	set_text(&e->title, buf_str(&title));
	set_text(&e->id, str_from(b->id));
	set_text(&e->classes, str_from(b->classes));
	set_text(&e->body, buf_str(&body));
	if (*b->users && strcmp(b->users, "$grub_users") != 0)
		set_text(&e->users, str_from(b->users));
	if (*b->hotkey)
		set_text(&e->hotkey, str_from(b->hotkey));
	e->unrestricted = strcmp(b->args, "--unrestricted") == 0;
	texts_add(&e->args, str_from(e->title));
	return 0;
}

/* Directories to try: $blsdir, or where /boot is or is not its own file system. */
static int read_dirs(struct exec *x, const struct grub_texts *argv, struct bls_entries *all,
                     size_t *dev, struct err *why)
{
	const char *const roots[] = {"boot", "root"};
	struct str named =
	        argv->n > 1 && argv->v[1][0] == '/' ? str_from(argv->v[1]) : exec_get(x, "blsdir");
	const struct str dirs[] = {named, STR("/loader/entries"), STR("/boot/loader/entries")};

	for (size_t r = 0; r < ARRAY_LEN(roots); r++) {
		if (device_find(x->files, exec_get(x, roots[r]), 1, dev, why) < 0)
			continue;
		for (size_t d = 0; d < ARRAY_LEN(dirs); d++) {
			_cleanup_(buf_fini) struct buf path = BUF_INIT;

			if (!dirs[d].n)
				continue;
			path_tidy(dirs[d], &path);
			if (bls_read_dir(x->files, x->limits, *dev, buf_str(&path), all,
			                 &x->boot.warnings, why) == 0)
				return 0;
		}
	}
	return -ERR_NOENT;
}

static void drop_loaderless(struct bls_entries *all)
{
	for (size_t i = all->n; i-- > 0;)
		if (!*all->v[i].linux_ && !*all->v[i].loader) {
			bls_fini(&all->v[i]);
			all->v[i] = all->v[--all->n];
		}
}

int cmd_blscfg(struct exec *x, struct grub_texts *argv, struct err *err)
{
	_cleanup_(bls_entries_fini) struct bls_entries all = {.v = NULL};
	struct err why = ERR_INIT;
	size_t dev = 0;
	int rc = exec_charge(x, 64 * 256, err);

	if (rc < 0)
		return rc;
	if (!x->menu)
		return exec_fail(x, STATUS_OK, "entries within an entry are left out");
	if (read_dirs(x, argv, &all, &dev, &why) < 0)
		return exec_fail(x, STATUS_NO_FILE, "no directory of entries: %s", why.text);
	for (size_t i = 0; rc == 0 && i < all.n; i++)
		rc = exec_charge(x, strlen(all.v[i].text), err);
	drop_loaderless(&all);
	if (all.n)
		qsort(all.v, all.n, sizeof *all.v, bls_cmp_names);
	for (size_t i = 0; rc == 0 && i < all.n; i++)
		rc = add_entry(x, &all, &all.v[i], x->files->devices[dev].name, err);
	return rc;
}
