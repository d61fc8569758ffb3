/* SPDX-License-Identifier: MIT */
#include "grub/number.h"

#include "base/str.h"

#include <stdbool.h>

/* The base; *s moves past the prefix "0x". */
static unsigned base_of(const char **s)
{
	const char *p = *s;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		*s += 2;
		return 16;
	}
	return p[0] == '0' && p[1] >= '0' && p[1] <= '7' ? 8 : 10;
}

const char *number_parse(const char *s, int64_t *out)
{
	const char *first;
	uint64_t v = 0, d;
	unsigned base;
	bool minus;

	while (*s == ' ' || (*s >= '\t' && *s <= '\r'))
		s++;
	minus = *s == '-';
	s += minus;
	base = base_of(&s);
	for (first = s; str_u64((struct str){s, 1}, base, base, &d); s++)
		v = v > (INT64_MAX - d) / base ? INT64_MAX : v * base + d;
	*out = minus ? -(int64_t)v : (int64_t)v;
	return s > first ? s : NULL;
}
