/* SPDX-License-Identifier: MIT */
#include "xen/xlcfg_edit.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

struct finder {
	const char *p, *end;
	const char *key;
	unsigned depth; /* of lists */
	size_t found;
	struct str value; /* of the last setting of the key, with its quotes; p NULL: no string */
	const char *list; /* behind the bracket of its list; NULL: it is none */
};

static bool is_key(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.';
}

static void skip_blanks(struct finder *f)
{
	while (f->p < f->end && (*f->p == ' ' || *f->p == '\t'))
		f->p++;
}

static void skip_comment(struct finder *f)
{
	while (f->p < f->end && *f->p != '\n')
		f->p++;
}

/* A quoted string on one line; a backslash escapes the next byte. */
static int skip_string(struct finder *f, struct err *err)
{
	char quote = *f->p++;

	while (f->p < f->end && *f->p != quote && *f->p != '\n')
		f->p += *f->p == '\\' && f->end - f->p > 1 ? 2 : 1;
	if (f->p >= f->end || *f->p != quote)
		return err_set(err, ERR_FORMAT, "unterminated quote");
	f->p++;
	return 0;
}

/* The key of a setting; if it is the one searched for, also its value. */
static int take_key(struct finder *f, struct err *err)
{
	struct str key = {f->p, 0};
	const char *from;
	int rc = 0;

	while (f->p < f->end && is_key(*f->p))
		f->p++;
	key.n = (size_t)(f->p - key.p);
	skip_blanks(f);
	if (!str_is(key, f->key) || f->p == f->end || (*f->p != '=' && *f->p != '+'))
		return 0;
	f->found++;
	f->value.p = NULL;
	f->list = NULL;
	if (*f->p++ == '+')
		return 0;
	skip_blanks(f);
	from = f->p;
	if (f->p < f->end && *f->p == '[')
		f->list = f->p + 1;
	if (f->p < f->end && (*f->p == '"' || *f->p == '\'')) {
		rc = skip_string(f, err);
		f->value = (struct str){from, (size_t)(f->p - from)};
	}
	return rc;
}

static int find(struct finder *f, struct err *err)
{
	bool begins = true;
	int rc = 0;

	while (f->p < f->end && rc == 0) {
		char c = *f->p;

		if (c == '#') {
			skip_comment(f);
		} else if (c == '"' || c == '\'') {
			rc = skip_string(f, err);
		} else if (begins && is_key(c)) {
			rc = take_key(f, err);
			begins = false;
		} else {
			f->depth += c == '[';
			f->depth -= c == ']' && f->depth;
			begins = !f->depth && (c == '\n' || c == ';' || (begins && isspace(c)));
			f->p++;
		}
	}
	return rc;
}

static int check_text(const char *text, struct err *err)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return err_set(err, ERR_UNSUPPORTED,
			               "a control character cannot be written in the config");
	return 0;
}

static void put_quoted(struct buf *out, const char *text)
{
	buf_puts(out, "\"");
	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			buf_puts(out, "\\");
		buf_put(out, c, 1);
	}
	buf_puts(out, "\"");
}

/* The one setting of a key; 1: there is none. */
static int find_one(struct finder *f, struct str config, const char *key, struct err *err)
{
	int rc;

	*f = (struct finder){.p = config.p, .end = config.p + config.n, .key = key};
	rc = find(f, err);
	if (rc < 0)
		return rc;
	if (f->found > 1)
		return err_set(err, ERR_UNSUPPORTED, "%s is set %zu times", key, f->found);
	return !f->found;
}

int xlcfg_replace(struct str config, const char *key, const char *text, struct buf *out,
                  struct err *err)
{
	struct finder f;
	int rc = check_text(text, err);
	const char *behind;

	if (rc == 0)
		rc = find_one(&f, config, key, err);
	if (rc)
		return rc;
	if (!f.value.p)
		return err_set(err, ERR_UNSUPPORTED, "%s is not a single string", key);
	behind = f.value.p + f.value.n;
	buf_put(out, config.p, (size_t)(f.value.p - config.p));
	put_quoted(out, text);
	buf_put(out, behind, (size_t)(config.p + config.n - behind));
	return 0;
}

/* Put text at a place in the config, and the rest behind it. */
static void put_at(struct str config, const char *at, const struct buf *text, struct buf *out)
{
	buf_put(out, config.p, (size_t)(at - config.p));
	buf_put(out, text->p, text->n);
	buf_put(out, at, (size_t)(config.p + config.n - at));
}

static bool is_empty_list(const char *p, const char *end)
{
	while (p < end && isspace((unsigned char)*p))
		p++;
	return p < end && *p == ']';
}

int xlcfg_add_argument(struct str config, const char *key, const char *text, const char *after,
                       struct buf *out, struct err *err)
{
	_cleanup_(buf_fini) struct buf add = BUF_INIT;
	const char *end = config.p + config.n, *at;
	struct finder f;
	int rc = check_text(text, err);

	if (rc == 0)
		rc = find_one(&f, config, key, err);
	if (rc < 0)
		return rc;
	if (rc == 0 && !f.list)
		return err_set(err, ERR_UNSUPPORTED, "%s is not a list", key);
	if (rc == 0) {
		put_quoted(&add, text);
		if (!is_empty_list(f.list, end))
			buf_puts(&add, isspace((unsigned char)*f.list) ? "," : ", ");
		put_at(config, f.list, &add, out);
		return 0;
	}
	rc = find_one(&f, config, after, err);
	if (rc)
		return rc;
	if (!f.value.p)
		return err_set(err, ERR_UNSUPPORTED, "%s is not a single string", after);
	at = f.value.p + f.value.n;
	at = memchr(at, '\n', (size_t)(end - at));
	buf_putf(&add, "%s%s = [ ", at ? "" : "\n", key);
	put_quoted(&add, text);
	buf_puts(&add, " ]\n");
	put_at(config, at ? at + 1 : end, &add, out);
	return 0;
}
