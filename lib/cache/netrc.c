/* SPDX-License-Identifier: MIT */
#include "cache/netrc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"

/* ---- the URL ---------------------------------------------------------------- */

/* Characters of a host name; libcurl might interpret others differently. */
static bool host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '-' || c == '_';
}

/* Decode escapes such as "%20". */
static char *unescaped(struct str s)
{
	char *out = xstrndup(s.p, s.n), *to = out;

	for (size_t i = 0; i < s.n; i++) {
		uint64_t v;

		*to = s.p[i];
		if (*to == '%' && i + 2 < s.n &&
		    str_u64((struct str){s.p + i + 1, 2}, 16, 255, &v) && v) {
			*to = (char)v;
			i += 2;
		}
		to++;
	}
	*to = '\0';
	return out;
}

/* The parts of a URL before its path. */
struct place {
	bool secure;
	struct str user, password; /* escaped; password.p is NULL: none */
	struct str host;
	uint64_t port;
};

/* "host:port" or "[address]:port" */
static bool take_host(struct str rest, struct place *p)
{
	bool address = str_starts(rest, "[");

	if (address)
		rest = str_drop(rest, 1);
	p->host = str_cut(&rest, address ? ']' : ':');
	for (size_t i = 0; i < p->host.n; i++)
		if (!host_char(p->host.p[i]) && !(address && p->host.p[i] == ':'))
			return false;
	if (address && (!rest.p || (rest.n && *rest.p != ':')))
		return false;
	if (address)
		rest = str_drop(rest, MIN(rest.n, (size_t)1));
	p->port = p->secure ? 443 : 80;
	return p->host.n && (!rest.n || str_u64(rest, 10, UINT16_MAX, &p->port));
}

/* False: not an http or https URL, or an unusual one. */
static bool look_at_url(struct str url, struct place *p)
{
	struct str rest;
	size_t n = 0;

	*p = (struct place){.user = STR(""), .secure = url.n > 5 && (url.p[4] | 32) == 's'};
	rest = str_drop(url, MIN(url.n, p->secure ? 8 : (size_t)7));
	if ((rest.p - url.p < 7) || strncasecmp(url.p, "http", 4) != 0 ||
	    memcmp(rest.p - 3, "://", 3) != 0)
		return false;
	while (n < rest.n && !strchr("/?#", rest.p[n]))
		n++;
	rest.n = n;
	if (memchr(rest.p, '@', rest.n)) {
		p->password = str_cut(&rest, '@');
		p->user = str_cut(&p->password, ':');
	}
	return take_host(rest, p);
}

static bool is_same(const struct place *a, const struct place *b)
{
	return a->secure == b->secure && a->port == b->port && a->host.n == b->host.n &&
	       strncasecmp(a->host.p, b->host.p, a->host.n) == 0;
}

/* ---- the file --------------------------------------------------------------- */

struct words {
	struct str rest, line;
	struct buf word;
	bool empty_line; /* the line that ended was empty */
};

static void take_quoted(struct words *w)
{
	size_t i = 1;

	for (; i < w->line.n && w->line.p[i] != '"'; i++) {
		char c = w->line.p[i];

		if (c == '\\' && i + 1 < w->line.n) {
			c = w->line.p[++i];
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
		}
		buf_u8(&w->word, (uint8_t)c);
	}
	w->line = str_drop(w->line, MIN(i + 1, w->line.n));
}

static void take_plain(struct words *w)
{
	size_t n = 0;

	while (n < w->line.n && (unsigned char)w->line.p[n] > ' ')
		n++;
	buf_put(&w->word, w->line.p, n);
	w->line = str_drop(w->line, n);
}

/* Read the next word into w->word, with a NUL. False: there is none in this line. */
static bool next_word(struct words *w)
{
	while (w->line.n && (unsigned char)*w->line.p <= ' ')
		w->line = str_drop(w->line, 1);
	buf_reset(&w->word);
	buf_puts(&w->word, "");
	if (!w->line.n || *w->line.p == '#')
		return false;
	if (*w->line.p == '"')
		take_quoted(w);
	else
		take_plain(w);
	return true;
}

static bool next_line(struct words *w)
{
	if (!w->rest.p)
		return false;
	w->line = str_cut(&w->rest, '\n');
	w->empty_line = !w->line.n || *w->line.p == '\r';
	return true;
}

/* What is searched for and found, and the state of the current entry. */
struct search {
	struct str host;
	const char *wanted; /* user name of the URL, or "" */
	enum { OUTSIDE, MACRO, HOST_NEXT, INSIDE } state;
	enum { NAME, LOGIN_NEXT, PASSWORD_NEXT } field;
	bool other; /* the entry is for another user name */
	char *login, *password;
};

static void enter_field(struct search *s, const char *word)
{
	char **to = NULL;

	if (s->field == LOGIN_NEXT) {
		s->other = *s->wanted && strcmp(s->wanted, word) != 0;
		to = *s->wanted ? NULL : &s->login;
	} else if (s->field == PASSWORD_NEXT && !s->other) {
		to = &s->password;
	}
	s->field = NAME;
	if (to) {
		free(*to);
		*to = xstrdup(word);
	}
}

static void take_word(struct search *s, const char *word)
{
	if (s->state == INSIDE && s->field != NAME)
		enter_field(s, word);
	else if (s->state == HOST_NEXT)
		s->state = str_is_nocase(s->host, word) ? INSIDE : OUTSIDE;
	else if (strcasecmp(word, "machine") == 0)
		s->state = HOST_NEXT, s->other = false;
	else if (s->state == INSIDE)
		s->field = strcasecmp(word, "login") == 0      ? LOGIN_NEXT
		           : strcasecmp(word, "password") == 0 ? PASSWORD_NEXT
		                                               : NAME;
	else if (strcasecmp(word, "default") == 0)
		s->state = INSIDE;
	else if (strcasecmp(word, "macdef") == 0)
		s->state = MACRO;
}

static bool found(const struct search *s)
{
	return s->password && (s->login || *s->wanted);
}

static void search(struct search *s, struct str netrc)
{
	struct words w = {.rest = netrc};

	while (!found(s) && next_line(&w)) {
		if (s->state == MACRO && w.empty_line)
			s->state = OUTSIDE;
		while (s->state != MACRO && !found(s) && next_word(&w))
			take_word(s, w.word.p);
	}
	buf_fini(&w.word);
}

static void look_up(struct str netrc, const struct place *p, char **user, char **password)
{
	_free_ char *wanted = unescaped(p->user);
	struct search s = {.host = p->host, .wanted = wanted};

	search(&s, netrc);
	if (!s.login && !s.password)
		return;
	*user = s.login ? s.login : xstrdup(wanted);
	*password = s.password ? s.password : xstrdup("");
}

void netrc_for_url(struct str netrc, struct str url, char **user, char **password)
{
	struct place p;

	*user = *password = NULL;
	if (look_at_url(url, &p) && !p.password.p)
		look_up(netrc, &p, user, password);
}

void netrc_for_redirect(struct str netrc, struct str from, struct str to, char **user,
                        char **password)
{
	struct place a, b;

	*user = *password = NULL;
	if (!look_at_url(from, &a) || !look_at_url(to, &b) || b.password.p)
		return;
	if (!a.password.p || b.user.n || !is_same(&a, &b)) {
		look_up(netrc, &b, user, password);
		return;
	}
	*user = unescaped(a.user);
	*password = unescaped(a.password);
}
