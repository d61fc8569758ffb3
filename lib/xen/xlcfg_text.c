/* SPDX-License-Identifier: MIT */
#include "xen/xlcfg_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/show.h"

#define NEAR_MAX 40

enum token {
	TOKEN_END,
	TOKEN_NEWLINE,
	TOKEN_KEY,
	TOKEN_NUMBER,
	TOKEN_STRING,
	TOKEN_ADD,   /* "+=" */
	TOKEN_ERROR, /* in *err */
	             /* else the character itself: = ; , [ ] */
};

struct scanner {
	const char *p, *end;
	unsigned line;
	int token;
	struct str word; /* of the token; a string's with its quotes */
	char *text;      /* of the last string, without them */
	struct err *err;
};

static void value_fini(struct xlcfg_value *value)
{
	for (size_t i = 0; i < value->n; i++)
		value_fini(&value->v[i]);
	free(value->v);
	free(value->text);
}

void xlcfg_text_fini(struct xlcfg_text *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].key);
		value_fini(&t->v[i].value);
	}
	free(t->v);
	*t = (struct xlcfg_text){0};
}

/* ---- words ---------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_key(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '.';
}

static bool is_number(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || c == 'x';
}

/* Report xl's message, and the text at which it occurred. */
static int bad(struct scanner *s, struct str at, const char *what)
{
	char shown[SHOW_SIZE];

	at.n = MIN(at.n, (size_t)NEAR_MAX);
	return err_set(s->err, ERR_FORMAT, "line %u: %s%s%s%s", s->line, what,
	               at.n ? " near \"" : "", show_str(at, shown), at.n ? "\"" : "");
}

/* Report the text from an invalid character to the next blank. xl ignores such a character as
 * the last byte of the config. */
static int lexical_error(struct scanner *s)
{
	const char *from = s->p;

	if (s->end - s->p == 1) {
		s->p++;
		return TOKEN_END;
	}
	while (s->p < s->end && !strchr(" \t\n", *s->p))
		s->p++;
	bad(s, (struct str){from, (size_t)(s->p - from)}, "lexical error");
	return TOKEN_ERROR;
}

static int scan_while(struct scanner *s, bool (*fits)(char c), int token)
{
	const char *from = s->p;

	while (s->p < s->end && fits(*s->p))
		s->p++;
	s->word = (struct str){from, (size_t)(s->p - from)};
	return token;
}

/*
 * A numeric escape; p is after its backslash. xl requires two or three digits in base
 * 10, and ignores them. Returns their number; 0: refused.
 */
static size_t octal_length(const char *p, const char *end)
{
	char digits[4] = {0}, *after;

	memcpy(digits, p + 1, MIN((size_t)(end - p - 1), (size_t)3));
	(void)strtoul(digits, &after, 10);
	return after - digits > 1 ? 1 + (size_t)(after - digits) : 0;
}

/* Set s->text to the word without its quotes and escapes. */
static int unquote(struct scanner *s)
{
	static const char plain[] = "\"'\\abfnrtv", means[] = "\"'\\\a\b\f\n\r\t\v";
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	const char *end = s->word.p + s->word.n - 1;

	buf_puts(&b, "");
	for (const char *p = s->word.p + 1; p < end; p++) {
		const char *found;
		size_t n;

		if (*p != '\\') {
			buf_put(&b, p, 1);
			continue;
		}
		found = strchr(plain, *++p);
		if (found) {
			buf_put(&b, &means[found - plain], 1);
			continue;
		}
		if (*p == 'x')
			return bad(s, s->word, "invalid digit after backslash hex escape");
		if (*p < '0' || *p > '7')
			return bad(s, s->word, "invalid character after backslash");
		n = octal_length(p, end);
		if (!n)
			return bad(s, s->word, "invalid digit after backslash octal escape");
		p += n - 1;
	}
	free(s->text);
	s->text = buf_steal(&b);
	return 0;
}

static int scan_string(struct scanner *s)
{
	const char *p = s->p + 1;

	while (p < s->end && *p != *s->p && *p != '\n') {
		if (*p == '\\' && (p + 1 == s->end || p[1] == '\n'))
			break;
		p += *p == '\\' ? 2 : 1;
	}
	if (p == s->end || *p != *s->p)
		return lexical_error(s);
	s->word = (struct str){s->p, (size_t)(p + 1 - s->p)};
	s->p = p + 1;
	return unquote(s) < 0 ? TOKEN_ERROR : TOKEN_STRING;
}

static int scan_newline(struct scanner *s)
{
	const char *lf = memchr(s->p, '\n', (size_t)(s->end - s->p));

	if (!lf)
		return lexical_error(s);
	s->word = (struct str){lf, 0};
	s->p = lf + 1;
	return TOKEN_NEWLINE;
}

static int scan_mark(struct scanner *s)
{
	size_t n = *s->p == '+' ? 2 : 1;

	if (!strchr("=;,[]+", *s->p) || (n == 2 && (s->p + 1 == s->end || s->p[1] != '=')))
		return lexical_error(s);
	s->word = (struct str){s->p, n};
	s->p += n;
	return n == 2 ? TOKEN_ADD : *s->word.p;
}

/* Go to the next word. A newline is counted only when the word after it is read. */
static void advance(struct scanner *s)
{
	if (s->token == TOKEN_NEWLINE)
		s->line++;
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t'))
		s->p++;
	s->word = (struct str){s->p, 0};
	if (s->p == s->end)
		s->token = TOKEN_END;
	else if (*s->p == '\n' || *s->p == '#')
		s->token = scan_newline(s);
	else if (*s->p == '"' || *s->p == '\'')
		s->token = scan_string(s);
	else if (is_digit(*s->p))
		s->token = scan_while(s, is_number, TOKEN_NUMBER);
	else if (*s->p >= 'a' && *s->p <= 'z')
		s->token = scan_while(s, is_key, TOKEN_KEY);
	else
		s->token = scan_mark(s);
}

static void skip_newlines(struct scanner *s)
{
	while (s->token == TOKEN_NEWLINE)
		advance(s);
}

static int syntax_error(struct scanner *s, const char *what)
{
	char text[96];

	if (s->token == TOKEN_ERROR)
		return -(int)s->err->code;
	snprintf(text, sizeof text, "syntax error, %s%s", what,
	         s->token == TOKEN_END       ? ", not the end of the file"
	         : s->token == TOKEN_NEWLINE ? ", not the end of the line"
	                                     : "");
	return bad(s, s->word, text);
}

/* ---- values --------------------------------------------------------------- */

static int parse_value(struct scanner *s, unsigned depth, struct xlcfg_value *out);

/* The token is "[". */
static int parse_list(struct scanner *s, unsigned depth, struct xlcfg_value *out)
{
	int rc = 0;

	if (depth == XLCFG_DEPTH_MAX)
		return err_set(s->err, ERR_LIMIT, "line %u: lists nested deeper than %d", s->line,
		               XLCFG_DEPTH_MAX);
	advance(s);
	for (;;) {
		skip_newlines(s);
		if (s->token == ']')
			break;
		GROW(out->v, out->n, out->cap);
		out->v[out->n] = (struct xlcfg_value){.n = 0};
		rc = parse_value(s, depth + 1, &out->v[out->n++]);
		if (rc < 0)
			return rc;
		skip_newlines(s);
		if (s->token == ',')
			advance(s);
		else if (s->token != ']')
			return syntax_error(s, "\",\" or \"]\" expected in a list");
	}
	advance(s);
	return 0;
}

static int parse_value(struct scanner *s, unsigned depth, struct xlcfg_value *out)
{
	if (s->token == '[')
		return parse_list(s, depth, out);
	if (s->token == TOKEN_NUMBER)
		out->text = xstrndup(s->word.p, s->word.n);
	else if (s->token == TOKEN_STRING)
		out->text = take(&s->text);
	else
		return syntax_error(s, "a value expected: a number, \"text\" or a list");
	advance(s);
	return 0;
}

/* ---- settings ------------------------------------------------------------- */

static struct xlcfg_setting *find(const struct xlcfg_text *t, struct str key)
{
	for (size_t i = t->n; i > 0; i--)
		if (str_is(key, t->v[i - 1].key))
			return &t->v[i - 1];
	return NULL;
}

/* "+=": append value to old, and move the result to value, which replaces old. */
static int join(struct scanner *s, struct xlcfg_value *old, struct xlcfg_value *value)
{
	if (!old->text != !value->text)
		return bad(s, STR(""), "can't add [list] to \"string\" or vice versa");
	if (old->text) {
		size_t a = strlen(old->text), b = strlen(value->text);

		old->text = xreallocarray(old->text, a + b + 1, 1);
		memcpy(old->text + a, value->text, b + 1);
		free(value->text);
		value->text = take(&old->text);
		return 0;
	}
	for (size_t i = 0; i < value->n; i++) {
		GROW(old->v, old->n, old->cap);
		old->v[old->n++] = value->v[i];
	}
	free(value->v);
	*value = *old;
	*old = (struct xlcfg_value){.n = 0};
	return 0;
}

/* KEY = VALUE; the token is KEY. set->key and set->value are owned also after an error. */
static int parse_setting(struct scanner *s, const struct xlcfg_text *t, struct xlcfg_setting *set)
{
	struct str key = s->word;
	struct xlcfg_setting *old;
	int rc;

	if (s->token != TOKEN_KEY)
		return syntax_error(s, "a key expected");
	set->key = xstrndup(key.p, key.n);
	advance(s);
	if (s->token != '=' && s->token != TOKEN_ADD)
		return syntax_error(s, "\"=\" expected after a key");
	set->added = s->token == TOKEN_ADD;
	advance(s);
	rc = parse_value(s, 0, &set->value);
	old = set->added ? find(t, key) : NULL;
	if (rc == 0 && old)
		rc = join(s, &old->value, &set->value);
	return rc;
}

static int parse_settings(struct scanner *s, struct xlcfg_text *t)
{
	for (;;) {
		struct xlcfg_setting set = {.key = NULL};
		int rc;

		while (s->token == TOKEN_NEWLINE || s->token == ';')
			advance(s);
		if (s->token == TOKEN_END)
			return 0;
		if (t->n == XLCFG_SETTINGS_MAX)
			return err_set(s->err, ERR_LIMIT, "line %u: more than %u settings", s->line,
			               XLCFG_SETTINGS_MAX);
		rc = parse_setting(s, t, &set);
		GROW(t->v, t->n, t->cap);
		t->v[t->n++] = set;
		if (rc < 0)
			return rc;
		if (s->token != TOKEN_NEWLINE && s->token != ';' && s->token != TOKEN_END)
			return syntax_error(s, "more after a value");
	}
}

int xlcfg_text_parse(const char *p, size_t n, struct xlcfg_text *out, struct err *err)
{
	struct scanner s = {.p = p, .end = p + n, .line = 1, .token = '=', .err = err};
	struct xlcfg_text t = {.n = 0};
	int rc;

	if (n > XLCFG_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "%zu bytes, more than the limit of %u", n,
		               XLCFG_BYTES_MAX);
	if (n && memchr(p, 0, n))
		return err_set(err, ERR_FORMAT, "contains a NUL");
	advance(&s);
	rc = parse_settings(&s, &t);
	free(s.text);
	if (rc < 0)
		xlcfg_text_fini(&t);
	else
		*out = t;
	return rc;
}

/* ---- look-up -------------------------------------------------------------- */

const struct xlcfg_setting *xlcfg_text_find(const struct xlcfg_text *t, const char *key)
{
	return find(t, str_from(key));
}

const char *xlcfg_text_get(const struct xlcfg_text *t, const char *key)
{
	const struct xlcfg_setting *set = xlcfg_text_find(t, key);

	return set ? set->value.text : NULL;
}

size_t xlcfg_text_list(const struct xlcfg_text *t, const char *key, const struct xlcfg_value **out)
{
	const struct xlcfg_setting *set = xlcfg_text_find(t, key);
	size_t n = 0;

	*out = set ? set->value.v : NULL;
	while (set && n < set->value.n && set->value.v[n].text)
		n++;
	return n;
}
