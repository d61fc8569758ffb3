/* SPDX-License-Identifier: MIT */
#include "disk/lvm_text.h"

#include <string.h>

#include "base/mem.h"

#define SHOWN 40u /* bytes of a text in a message */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_-+.@:/", c));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct str *s)
{
	while (s->n) {
		size_t n = 0;

		if (*s->p == '#')
			while (n < s->n && s->p[n] != '\n')
				n++;
		else if (is_blank(*s->p))
			n = 1;
		if (!n)
			return;
		*s = str_drop(*s, n);
	}
}

/* The bytes of the word or the quoted string that s starts with; 0: of neither. */
static size_t scalar_length(struct str s)
{
	size_t n = 0;
	char quote;

	if (!s.n)
		return 0;
	quote = *s.p;
	if (quote != '"' && quote != '\'') {
		while (n < s.n && is_word(s.p[n]))
			n++;
		return n;
	}
	for (n = 1; n < s.n && s.p[n] != quote; n++)
		n += s.p[n] == '\\';
	return n < s.n ? n + 1 : 0;
}

/* The bytes of the section or list that s starts with, with its end; 0: it has no end. */
static size_t nested_length(struct str s)
{
	char ends[LVM_TEXT_DEPTH_MAX];
	struct str rest = s;
	size_t depth = 0;

	do {
		size_t n = scalar_length(rest);

		if (!rest.n)
			return 0;
		if (!n && (*rest.p == '{' || *rest.p == '[')) {
			if (depth == LVM_TEXT_DEPTH_MAX)
				return 0;
			ends[depth++] = *rest.p == '{' ? '}' : ']';
		} else if (!n && (*rest.p == '}' || *rest.p == ']')) {
			if (*rest.p != ends[depth - 1])
				return 0;
			depth--;
		} else if (!n && *rest.p != '=' && *rest.p != ',') {
			return 0;
		}
		rest = str_drop(rest, n ? n : 1);
		if (depth)
			skip_blanks(&rest);
	} while (depth);
	return s.n - rest.n;
}

/* 0, 1: the end; -ERR_FORMAT: *text is where it is wrong. */
static int item_next(struct str *text, struct lvm_item *out)
{
	struct lvm_item item = {.section = false};
	size_t n;

	skip_blanks(text);
	if (!text->n)
		return 1;
	n = scalar_length(*text);
	if (!n || !is_word(*text->p))
		return -ERR_FORMAT;
	item.key = (struct str){text->p, n};
	*text = str_drop(*text, n);
	skip_blanks(text);
	item.section = str_starts(*text, "{");
	if (!item.section) {
		if (!str_starts(*text, "="))
			return -ERR_FORMAT;
		*text = str_drop(*text, 1);
		skip_blanks(text);
	}
	n = item.section || str_starts(*text, "[") ? nested_length(*text) : scalar_length(*text);
	if (!n)
		return -ERR_FORMAT;
	item.body = (struct str){text->p, n};
	if (item.section)
		item.body = (struct str){text->p + 1, n - 2};
	*text = str_drop(*text, n);
	*out = item;
	return 0;
}

int lvm_text_next(struct str *text, struct lvm_item *out, struct err *err)
{
	int rc = item_next(text, out);

	if (rc < 0)
		return err_set(err, ERR_FORMAT, "LVM2 metadata: unexpected text at \"%.*s\"",
		               (int)MIN(text->n, SHOWN), text->p);
	return rc;
}

bool lvm_text_find(struct str text, const char *key, struct lvm_item *out)
{
	struct lvm_item item;

	while (item_next(&text, &item) == 0)
		if (str_is(item.key, key)) {
			*out = item;
			return true;
		}
	return false;
}

bool lvm_list_next(struct str *list, struct str *scalar)
{
	size_t n;

	do {
		skip_blanks(list);
		n = scalar_length(*list);
		if (n) {
			*scalar = (struct str){list->p, n};
			*list = str_drop(*list, n);
			return true;
		}
		*list = str_drop(*list, list->n ? 1 : 0); /* a bracket or a comma */
	} while (list->n);
	return false;
}

bool lvm_u64(struct str scalar, uint64_t max, uint64_t *out)
{
	return str_u64(scalar, 10, max, out);
}

bool lvm_string(struct str scalar, struct str *out)
{
	if (scalar.n < 2 || (*scalar.p != '"' && *scalar.p != '\'') ||
	    memchr(scalar.p, '\\', scalar.n))
		return false;
	*out = (struct str){scalar.p + 1, scalar.n - 2};
	return true;
}

bool lvm_text_u64(struct str text, const char *key, uint64_t max, uint64_t *out)
{
	struct lvm_item item;

	return lvm_text_find(text, key, &item) && !item.section && lvm_u64(item.body, max, out);
}

bool lvm_text_string(struct str text, const char *key, struct str *out)
{
	struct lvm_item item;

	return lvm_text_find(text, key, &item) && !item.section && lvm_string(item.body, out);
}

bool lvm_text_has(struct str text, const char *key, const char *string)
{
	struct lvm_item item;
	struct str scalar, s;

	if (!lvm_text_find(text, key, &item) || item.section)
		return false;
	while (lvm_list_next(&item.body, &scalar))
		if (lvm_string(scalar, &s) && str_is(s, string))
			return true;
	return false;
}
