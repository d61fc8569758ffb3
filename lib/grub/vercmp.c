/* SPDX-License-Identifier: MIT */
#include "grub/vercmp.h"

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool separator(char c)
{
	return c == '~' || c == '-' || c == '^' || c == '.';
}

/* Skip bytes that are not compared. */
static struct str significant(struct str s)
{
	while (s.n && !digit(s.p[0]) && !letter(s.p[0]) && !separator(s.p[0]))
		s = str_drop(s, 1);
	return s;
}

static struct str run(struct str *s, bool (*is)(char))
{
	struct str head = {s->p, 0};

	while (head.n < s->n && is(s->p[head.n]))
		head.n++;
	*s = str_drop(*s, head.n);
	return head;
}

static int digits_cmp(struct str a, struct str b)
{
	while (a.n && a.p[0] == '0')
		a = str_drop(a, 1);
	while (b.n && b.p[0] == '0')
		b = str_drop(b, 1);
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return str_cmp(a, b);
}

/* The rank of what a version goes on with: the lower comes first. */
static int rank(struct str s)
{
	if (!s.n)
		return 1;
	switch (s.p[0]) {
	case '~':
		return 0;
	case '-':
		return 2;
	case '^':
		return 3;
	case '.':
		return 4;
	default:
		return digit(s.p[0]) ? 6 : 5; /* a number is newer than a word */
	}
}

int version_cmp(struct str a, struct str b)
{
	for (;;) {
		int ra, rb, c;

		a = significant(a);
		b = significant(b);
		ra = rank(a);
		rb = rank(b);
		if (ra != rb)
			return ra < rb ? -1 : 1;
		if (!a.n)
			return 0;
		if (separator(a.p[0])) {
			a = str_drop(a, 1);
			b = str_drop(b, 1);
			continue;
		}
		if (digit(a.p[0]))
			c = digits_cmp(run(&a, digit), run(&b, digit));
		else
			c = str_cmp(run(&a, letter), run(&b, letter));
		if (c)
			return c;
	}
}

/* As significant(), in the order of packages. */
static struct str package_significant(struct str s)
{
	while (s.n && !digit(s.p[0]) && !letter(s.p[0]) && s.p[0] != '~' && s.p[0] != '+')
		s = str_drop(s, 1);
	return s;
}

static int package_rank(struct str s)
{
	if (!s.n)
		return 1;
	if (s.p[0] == '~')
		return 0;
	if (s.p[0] == '+')
		return 2;
	return digit(s.p[0]) ? 4 : 3;
}

static int package_part_cmp(struct str a, struct str b)
{
	for (;;) {
		int ra, rb, c;

		a = package_significant(a);
		b = package_significant(b);
		ra = package_rank(a);
		rb = package_rank(b);
		if (ra != rb)
			return ra < rb ? -1 : 1;
		if (!a.n)
			return 0;
		if (ra == 0 || ra == 2) {
			a = str_drop(a, 1);
			b = str_drop(b, 1);
			continue;
		}
		c = ra == 4 ? digits_cmp(run(&a, digit), run(&b, digit))
		            : str_cmp(run(&a, letter), run(&b, letter));
		if (c)
			return c;
	}
}

/* Cut off what follows the last '-'; p NULL: there is none. */
static struct str cut_last(struct str *s)
{
	for (size_t i = s->n; i-- > 0;)
		if (s->p[i] == '-') {
			struct str tail = str_drop(*s, i + 1);

			s->n = i;
			return tail;
		}
	return (struct str){NULL, 0};
}

struct package {
	struct str name, version, release; /* empty where there is none */
};

static struct package package_split(struct str s)
{
	struct package p = {.release = cut_last(&s)};

	p.version = cut_last(&s);
	p.name = s;
	if (!p.version.p) { /* NAME-VERSION */
		p.version = p.release;
		p.release = (struct str){NULL, 0};
	}
	return p;
}

int package_cmp(struct str a, struct str b)
{
	struct package x = package_split(a), y = package_split(b);
	int c = package_part_cmp(x.name, y.name);

	if (c == 0)
		c = package_part_cmp(x.version, y.version);
	return c ? c : package_part_cmp(x.release, y.release);
}

/* One byte against "[set]" at the start of pattern; *n is the set's length, 0: it has no end. */
static bool in_set(struct str pattern, char c, size_t *n)
{
	bool not = pattern.n > 1 && (pattern.p[1] == '!' || pattern.p[1] == '^');
	size_t i = not ? 2 : 1, first = i;
	bool found = false;

	for (; i < pattern.n && (pattern.p[i] != ']' || i == first); i++) {
		char lo = pattern.p[i], hi = lo;

		if (i + 2 < pattern.n && pattern.p[i + 1] == '-' && pattern.p[i + 2] != ']') {
			hi = pattern.p[i + 2];
			i += 2;
		}
		found = found || (c >= lo && c <= hi);
	}
	*n = i < pattern.n ? i + 1 : 0;
	return found != not;
}

/* Length of the pattern's first element where it takes c; 0: it does not. */
static size_t takes(struct str pattern, char c)
{
	size_t n = 1;

	if (!pattern.n)
		return 0;
	if (pattern.p[0] == '?')
		return 1;
	if (pattern.p[0] == '\\' && pattern.n > 1)
		return pattern.p[1] == c ? 2 : 0;
	if (pattern.p[0] == '[') {
		bool in = in_set(pattern, c, &n);

		if (n)
			return in ? n : 0;
		n = 1;
	}
	return pattern.p[0] == c ? n : 0;
}

bool glob_matches(struct str pattern, struct str text)
{
	struct str star = {NULL, 0}, retry = {NULL, 0};

	while (text.n) {
		size_t n = takes(pattern, text.p[0]);

		if (pattern.n && pattern.p[0] == '*') {
			star = pattern = str_drop(pattern, 1);
			retry = text;
		} else if (n) {
			pattern = str_drop(pattern, n);
			text = str_drop(text, 1);
		} else if (star.p) { /* let the last star take one byte more */
			pattern = star;
			text = retry = str_drop(retry, 1);
		} else {
			return false;
		}
	}
	while (pattern.n && pattern.p[0] == '*')
		pattern = str_drop(pattern, 1);
	return !pattern.n;
}
