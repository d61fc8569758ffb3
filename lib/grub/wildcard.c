/* SPDX-License-Identifier: MIT */
/*
 * A pattern is split at its slashes; the names that match the parts so far are
 * a list. GRUB does this once the module regexp is loaded, which most builds
 * contain.
 */
#include "base/mem.h"
#include "grub/device.h"
#include "grub/texts.h"
#include "grub/vercmp.h"
#include "grub/wildcard.h"

#include <string.h>

struct wildcard {
	struct exec *x;
	struct err *err;
	struct grub_texts names; /* of the part before */
	struct grub_texts next;  /* with this part */
	/* While a directory is read: */
	struct str part, dir;
	size_t seen;
	bool full;
};

static void wildcard_fini(struct wildcard *w)
{
	texts_fini(&w->names);
	texts_fini(&w->next);
}

static bool is_pattern(struct str part)
{
	for (size_t i = 0; i < part.n; i++) {
		if (part.p[i] == '*' || part.p[i] == '?')
			return true;
		i += part.p[i] == '\\';
	}
	return false;
}

static void put_plain(struct buf *out, struct str part)
{
	for (size_t i = 0; i < part.n; i++) {
		if (part.p[i] == '\\' && i + 1 < part.n)
			i++;
		buf_put(out, part.p + i, 1);
	}
}

/* Append a name: a directory found before, or "", and a name in it. */
static int add(struct wildcard *w, struct str dir, struct str name)
{
	if (w->next.n >= w->x->limits->words)
		return err_set(w->err, ERR_LIMIT, "%s:%u: a pattern of more than %zu names",
		               w->x->file, w->x->line, w->x->limits->words);
	texts_give(&w->next, xasprintf("%.*s%.*s", STR_ARG(dir), STR_ARG(name)));
	return 0;
}

static int take_name(void *arg, struct str name)
{
	struct wildcard *w = arg;

	if (!str_is(name, ".") && !str_is(name, "..") && glob_matches(w->part, name))
		w->full = add(w, w->dir, name) < 0;
	return w->full || ++w->seen >= w->x->limits->names;
}

/* The names in a directory that match; none where there is no directory. */
static int add_names(struct wildcard *w, struct str dir)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	struct exec *x = w->x;
	struct err ignored;
	size_t dev;
	struct file_base base = exec_base(x);

	w->dir = dir;
	w->seen = 0;
	w->full = false;
	if (exec_charge(x, EXEC_FILE_BYTES, w->err) < 0)
		return -ERR_LIMIT;
	if (file_locate(&base, dir, &dev, &path, NULL, &ignored) < 0)
		return 0;
	(void)x->files->ops->list(x->files, dev, buf_str(&path), take_name, w, &ignored);
	return w->full ? -ERR_LIMIT : exec_charge(x, w->seen * 64, w->err);
}

static int add_devices(struct wildcard *w, struct str part)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->x->files->device_count; i++) {
		_cleanup_(buf_fini) struct buf name = BUF_INIT;

		buf_putf(&name, "(%s)", w->x->files->devices[i].name);
		if (glob_matches(part, buf_str(&name)))
			rc = add(w, STR(""), buf_str(&name));
	}
	return rc;
}

/* Cut off "(device)", or what precedes the first slash. */
static int begin(struct wildcard *w, struct str *rest)
{
	_cleanup_(buf_fini) struct buf plain = BUF_INIT;
	struct str part = {rest->p, 0};
	char end = str_starts(*rest, "(") ? ')' : '/';

	while (part.n < rest->n && rest->p[part.n] != end)
		part.n++;
	if (end == ')' && part.n < rest->n)
		part.n++;
	*rest = str_drop(*rest, part.n);
	if (is_pattern(part))
		return add_devices(w, part);
	put_plain(&plain, part);
	if (part.n && end == '/')
		return 0; /* not the name of a file */
	return add(w, STR(""), buf_str(&plain));
}

static void next_part(struct wildcard *w)
{
	texts_fini(&w->names);
	w->names = w->next;
	w->next = (struct grub_texts){0};
}

/* "//name": slashes as they are, and a name or a pattern for one. */
static int add_part(struct wildcard *w, struct str *rest)
{
	struct str slashes = {rest->p, 0};
	int rc = 0;

	while (slashes.n < rest->n && rest->p[slashes.n] == '/')
		slashes.n++;
	*rest = str_drop(*rest, slashes.n);
	w->part = (struct str){rest->p, 0};
	while (w->part.n < rest->n && rest->p[w->part.n] != '/')
		w->part.n++;
	*rest = str_drop(*rest, w->part.n);
	next_part(w);
	for (size_t i = 0; rc == 0 && i < w->names.n; i++) {
		_cleanup_(buf_fini) struct buf dir = BUF_INIT;

		buf_putf(&dir, "%s%.*s", w->names.v[i], STR_ARG(slashes));
		if (is_pattern(w->part)) {
			rc = add_names(w, buf_str(&dir));
		} else {
			put_plain(&dir, w->part);
			rc = add(w, buf_str(&dir), STR(""));
		}
	}
	return rc;
}

/* Does the file exist, or with a slash at the end the directory? A device is one. */
static bool exists(struct exec *x, const char *name)
{
	_cleanup_(buf_fini) struct buf path = BUF_INIT;
	struct grub_stat st = {.kind = GRUB_OTHER};
	struct err ignored;
	size_t dev, n = strlen(name);
	struct file_base base = exec_base(x);

	if (n && name[n - 1] == ')')
		return true;
	if (file_locate(&base, str_from(name), &dev, &path, NULL, &ignored) < 0 ||
	    x->files->ops->stat(x->files, dev, buf_str(&path), &st, &ignored) < 0)
		return false;
	return name[n - 1] != '/' || st.kind == GRUB_DIR;
}

int wildcard_expand(struct exec *x, struct str pattern, struct grub_texts *out, struct err *err)
{
	_cleanup_(wildcard_fini) struct wildcard w = {.x = x, .err = err};
	struct str rest = pattern;
	int rc = begin(&w, &rest);

	while (rc == 0 && rest.n)
		rc = add_part(&w, &rest);
	for (size_t i = 0; rc == 0 && i < w.next.n; i++) {
		rc = exec_charge(x, EXEC_FILE_BYTES, err);
		if (rc == 0 && exists(x, w.next.v[i]))
			texts_add(out, str_from(w.next.v[i]));
	}
	return rc;
}
