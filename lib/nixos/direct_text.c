/* SPDX-License-Identifier: MIT */
#include "nixos/direct_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nix/store_path.h"
#include "xen/xlcfg_edit.h"

#define CMDLINE_PV_MAX 1023u

/* ---- names ---------------------------------------------------------------- */

static bool is_digits(struct str s)
{
	if (s.n != STORE_DIGEST_LEN)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr("0123456789abcdfghijklmnpqrsvwxyz", s.p[i]))
			return false;
	return true;
}

char *direct_stem(const char *path, const char *suffix)
{
	struct str s = str_from(str_base(path)), digits;

	if (!str_ends(s, suffix) || s.n == strlen(suffix))
		return NULL;
	s.n -= strlen(suffix);
	if (s.n > STORE_DIGEST_LEN + 1) {
		digits = str_drop(s, s.n - STORE_DIGEST_LEN);
		if (digits.p[-1] == '-' && is_digits(digits))
			s.n -= STORE_DIGEST_LEN + 1;
	}
	return xstrndup(s.p, s.n);
}

void direct_names_of(const char *kernel, const char *ramdisk, struct direct_names *out)
{
	*out = (struct direct_names){
	        .stem = direct_stem(kernel, ".kernel"),
	        .shown_dir = xstrndup(kernel, (size_t)(str_base(kernel) - kernel)),
	        .kernel = xstrdup(str_base(kernel)),
	        .initrd = ramdisk ? xstrdup(str_base(ramdisk)) : NULL,
	};
}

void direct_names_fini(struct direct_names *n)
{
	free(n->stem);
	free(n->shown_dir);
	free(n->kernel);
	free(n->initrd);
	*n = (struct direct_names){.stem = NULL};
}

/* The same system keeps the names of its files, which may be those that create gave. */
static char *new_name(const struct direct_names *n, const struct direct_change *c, const char *old,
                      const char *suffix)
{
	if (!strcmp(c->toplevel, c->old_toplevel))
		return xstrdup(old);
	return xasprintf("%s-%.*s%s", n->stem, (int)STORE_DIGEST_LEN, str_base(c->toplevel),
	                 suffix);
}

/* ---- the command line ----------------------------------------------------- */

/* Find "words" in a line, at word boundaries. NULL: not there. */
static const char *find_words(const char *line, const char *words)
{
	size_t n = strlen(words);

	for (const char *at = line; n && (at = strstr(at, words)); at++)
		if ((at == line || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return at;
	return NULL;
}

static char *put_words(const char *line, const char *at, size_t n, const char *words)
{
	return xasprintf("%.*s%s%s", (int)(at - line), line, words, at + n);
}

/* init= and the system's parameters; arguments added by hand in between are kept. */
static int new_args(const char *line, const struct direct_change *c, char **out, const char **why)
{
	const char *was = c->old_params, *at;
	_free_ char *old_init = xasprintf("init=%s", c->old_init);
	_free_ char *init = xasprintf("init=%s", c->init);
	_free_ char *first = NULL;

	at = line ? find_words(line, old_init) : NULL;
	if (!at || find_words(at + 1, old_init)) {
		*why = "its command line has init= more than once";
		return 1;
	}
	first = put_words(line, at, strlen(old_init), init);
	at = find_words(first, was);
	if (*was && !at) {
		*why = "its command line lacks the system's kernel parameters";
		return 1;
	}
	if (*was)
		*out = put_words(first, at, strlen(was), c->params);
	else
		*out = xasprintf("%s%s%s", first, *c->params ? " " : "", c->params);
	return 0;
}

/* ---- the text ------------------------------------------------------------- */

static int replace(struct buf *text, const char *key, const char *value, struct err *err)
{
	struct buf out = BUF_INIT;
	int rc = xlcfg_replace(buf_str(text), key, value, &out, err);

	if (rc == 0) {
		buf_fini(text);
		*text = out;
	} else {
		buf_fini(&out);
	}
	return rc;
}

static int change_text(const struct direct_names *n, const char *args, struct direct_text *t,
                       struct err *err)
{
	int rc = 0;

	if (t->kernel) {
		_free_ char *kernel = xasprintf("%s%s", n->shown_dir, t->kernel);
		_free_ char *initrd = xasprintf("%s%s", n->shown_dir, t->initrd);

		rc = replace(&t->text, "kernel", kernel, err);
		if (rc == 0)
			rc = replace(&t->text, "ramdisk", initrd, err);
	}
	if (rc == 0)
		rc = replace(&t->text, "cmdline", args, err);
	if (rc == 1)
		rc = replace(&t->text, "extra", args, err);
	return rc;
}

/* Parse the new config, to prove that only these values changed. */
static int read_back(const struct xlcfg_guest *cfg, const char *args, struct direct_text *t,
                     struct err *err)
{
	const char *kernel = t->kernel ? t->kernel : str_base(cfg->kernel);
	int rc = xlcfg_guest_parse(t->text.p, t->text.n, &t->says, err);

	if (rc < 0)
		return rc;
	if (t->says.cmdline && !strcmp(t->says.cmdline, args) && t->says.kernel &&
	    !strcmp(str_base(t->says.kernel), kernel))
		return 0;
	t->why = "its command line is set by several keys";
	return 1;
}

int direct_text_make(struct str config, const struct xlcfg_guest *cfg,
                     const struct direct_names *names, const struct direct_change *change,
                     struct direct_text *out, struct err *err)
{
	bool pv = !cfg->type || !strcmp(cfg->type, "pv");
	_free_ char *args = NULL;
	int rc = new_args(cfg->cmdline, change, &args, &out->why);

	if (rc)
		return rc;
	if (pv && strlen(args) > CMDLINE_PV_MAX)
		return err_set(err, ERR_LIMIT,
		               "the kernel command line has %zu bytes, but a PV guest gets only %u",
		               strlen(args), CMDLINE_PV_MAX);
	if (change->copies) {
		out->kernel = new_name(names, change, names->kernel, ".kernel");
		out->initrd = new_name(names, change, names->initrd, ".initrd");
	}
	buf_put(&out->text, config.p, config.n);
	rc = change_text(names, args, out, err);
	if (rc == 1)
		out->why = "its command line was not found where domstrap expects it";
	return rc ? rc : read_back(cfg, args, out, err);
}

void direct_text_fini(struct direct_text *t)
{
	buf_fini(&t->text);
	free(t->kernel);
	free(t->initrd);
	xlcfg_guest_fini(&t->says);
	*t = (struct direct_text){.kernel = NULL};
}
