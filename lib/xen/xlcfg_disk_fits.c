/* SPDX-License-Identifier: MIT */
#include "xen/xlcfg_disk_fits.h"

#include <stdbool.h>
#include <string.h>

/* The number of bytes before the first of stops. */
static size_t until(struct str s, const char *stops)
{
	size_t n = 0;

	while (n < s.n && !strchr(stops, s.p[n]))
		n++;
	return n;
}

static struct xl_match whole(size_t n)
{
	return (struct xl_match){n, n};
}

struct xl_match xl_fits_blanks(const char *word, struct str rest)
{
	size_t n = 0;

	while (n < rest.n && strchr(" \t\n", rest.p[n]))
		n++;
	return (struct xl_match){n ? n + until(str_drop(rest, n), "\n") : 0, n};
}

/* Include the comma after n bytes, if there is one. */
static size_t with_comma(struct str rest, size_t n)
{
	return n < rest.n && rest.p[n] == ',' ? n + 1 : n;
}

struct xl_match xl_fits_flag(const char *word, struct str rest)
{
	return whole(str_starts(rest, word) ? with_comma(rest, strlen(word)) : 0);
}

struct xl_match xl_fits_value(const char *word, struct str rest)
{
	return whole(str_starts(rest, word) ? with_comma(rest, until(rest, ",")) : 0);
}

struct xl_match xl_fits_target(const char *word, struct str rest)
{
	return whole(str_starts(rest, word) ? until(rest, "\n") : 0);
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

size_t xl_word_length(struct str rest, const char *more)
{
	size_t n = rest.n && is_lower(rest.p[0]) ? 1 : 0;

	while (n && n < rest.n &&
	       (is_lower(rest.p[n]) || (rest.p[n] >= '0' && rest.p[n] <= '9') ||
	        strchr(more, rest.p[n])))
		n++;
	return n;
}

/* "key=", one byte of its value, and perhaps a comma. */
struct xl_match xl_fits_unknown(const char *word, struct str rest)
{
	size_t n = xl_word_length(rest, "-");

	if (!n || n + 1 >= rest.n || rest.p[n] != '=' || rest.p[n + 1] == ',')
		return whole(0);
	return whole(with_comma(rest, n + 2));
}

/* Matches to the end of the line, so that it is preferred to other patterns. */
struct xl_match xl_fits_prefix(const char *word, struct str rest)
{
	if (!str_starts(rest, word))
		return whole(0);
	return (struct xl_match){until(rest, "\n"), strlen(word)};
}

struct xl_match xl_fits_unknown_prefix(const char *word, struct str rest)
{
	size_t n = xl_word_length(rest, "");

	if (!n || n >= rest.n || rest.p[n] != ':')
		return whole(0);
	n++;
	if (n == rest.n || is_lower(rest.p[n]) || (rest.p[n] >= '0' && rest.p[n] <= '9'))
		return whole(n);
	return (struct xl_match){n + 1 + until(str_drop(rest, n + 1), "\n"), n};
}

struct xl_match xl_fits_place(const char *word, struct str rest)
{
	return whole(with_comma(rest, until(rest, "=,")));
}

struct xl_match xl_fits_rest(const char *word, struct str rest)
{
	return whole(1);
}
