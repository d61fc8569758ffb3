/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

/* A character's length by its first byte, 0 if invalid; *least: its lowest code point. */
static unsigned length_of(unsigned char c, uint32_t *least)
{
	static const uint32_t leasts[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned n = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;

	*least = leasts[n];
	return n;
}

uint32_t utf8_cut(struct str *s)
{
	unsigned char c = (unsigned char)s->p[0];
	uint32_t least, v;
	unsigned n = length_of(c, &least);

	if (n == 1 || n == 0 || n > s->n) {
		*s = str_drop(*s, 1);
		return n == 1 ? c : UTF8_BAD;
	}
	v = c & (0x7fu >> n);
	for (unsigned i = 1; i < n; i++) {
		c = (unsigned char)s->p[i];
		v = c >> 6 == 2 ? v << 6 | (c & 0x3f) : UINT32_MAX >> 6;
	}
	if (v < least || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		n = 1;
	*s = str_drop(*s, n);
	return n == 1 ? UTF8_BAD : v;
}

void utf8_json(struct buf *out, struct str s)
{
	buf_puts(out, "\"");
	while (s.n) {
		uint32_t c = utf8_cut(&s);

		if (c == '"' || c == '\\')
			buf_putf(out, "\\%c", (char)c);
		else if (c >= 0x20 && c < 0x7f)
			buf_u8(out, (uint8_t)c);
		else if (c < 0x10000)
			buf_putf(out, "\\u%04x", c);
		else
			buf_putf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
			         0xdc00 + ((c - 0x10000) & 0x3ff));
	}
	buf_puts(out, "\"");
}
