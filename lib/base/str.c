/* SPDX-License-Identifier: MIT */
#include "base/str.h"
#include "base/buf.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FRACTION_DIGITS 6 /* so that the fraction times a T fits into 64 bits */

struct str str_from(const char *s)
{
	return (struct str){s, strlen(s)};
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_is(struct str a, const char *s)
{
	return str_eq(a, str_from(s));
}

bool str_is_nocase(struct str a, const char *s)
{
	return a.n == strlen(s) && (!a.n || strncasecmp(a.p, s, a.n) == 0);
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	if (c)
		return c;
	return (a.n > b.n) - (a.n < b.n);
}

size_t str_place(const void *base, size_t n, size_t size, struct str (*name_of)(const void *),
                 struct str name, bool *found)
{
	size_t lo = 0, hi = n;

	*found = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = str_cmp(name_of((const char *)base + mid * size), name);

		if (c == 0) {
			*found = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool str_starts(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

bool str_ends(struct str s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.n >= n && memcmp(s.p + (s.n - n), suffix, n) == 0;
}

struct str str_drop(struct str s, size_t n)
{
	if (n > s.n)
		n = s.n;
	return (struct str){s.p + n, s.n - n};
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct str str_trim(struct str s)
{
	while (s.n && blank(s.p[0]))
		s = str_drop(s, 1);
	while (s.n && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

const char *str_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

struct str str_cut(struct str *s, char c)
{
	struct str head = *s;
	const char *at = s->n ? memchr(s->p, c, s->n) : NULL;

	if (!at) {
		*s = (struct str){NULL, 0};
		return head;
	}
	head.n = (size_t)(at - s->p);
	*s = str_drop(*s, head.n + 1);
	return head;
}

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A') + 10;
	return 99;
}

bool str_u64(struct str s, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = digit_of(s.p[i]);

		if (d >= base || d > max || v > (max - d) / base)
			return false;
		v = v * base + d;
	}
	*out = v;
	return true;
}

/* Remove a unit ("K", "KiB", "Kb") from the end of *s; returns its shift, 0 if there is none. */
static unsigned cut_unit(struct str *s)
{
	static const char units[] = "KMGT";
	struct str head = *s;
	const char *u;

	if (str_ends(head, "iB") || str_ends(head, "ib"))
		head.n -= 2;
	else if (str_ends(head, "B") || str_ends(head, "b"))
		head.n--;
	u = head.n ? strchr(units, toupper((unsigned char)head.p[head.n - 1])) : NULL;
	if (!u || !*u)
		return 0;
	s->n = head.n - 1;
	return 10 * (unsigned)(u - units + 1);
}

bool str_size(struct str s, uint64_t *out)
{
	unsigned shift = cut_unit(&s);
	uint64_t v, part = 0, scale = 1, whole = (uint64_t)INT64_MAX >> shift;
	struct str fraction = s, digits = str_cut(&fraction, '.');

	if (fraction.p &&
	    (!shift || fraction.n > FRACTION_DIGITS || !str_u64(fraction, 10, UINT64_MAX, &part)))
		return false;
	for (size_t i = 0; fraction.p && i < fraction.n; i++)
		scale *= 10;
	if (!str_u64(digits, 10, whole, &v))
		return false;
	*out = (v << shift) + (part << shift) / scale;
	return true;
}

void str_escape(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 0x20 && c < 0x7f && c != '\\')
			buf_put(out, &s.p[i], 1);
		else
			buf_putf(out, "\\x%02x", c);
	}
}

const char *str_human(uint64_t bytes, char out[static 16])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	double v = (double)bytes;
	size_t u = 0;

	while (v >= 1024 && u + 1 < sizeof units / sizeof units[0]) {
		v /= 1024;
		u++;
	}
	if (u == 0 || v >= 100)
		snprintf(out, 16, "%.0f %s", v, units[u]);
	else
		snprintf(out, 16, "%.1f %s", v, units[u]);
	return out;
}
