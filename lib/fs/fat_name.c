/* SPDX-License-Identifier: MIT */
#include "fs/fat_name.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "disk/utf16.h"

#define ATTR_LONG 0x0f
#define LONG_LAST 0x40
#define LOWER_BASE 0x08 /* flags by which Windows NT stores "name" instead of "NAME" */
#define LOWER_EXT 0x10

static uint8_t short_sum(const uint8_t *e)
{
	uint8_t sum = 0;

	for (unsigned i = 0; i < 11; i++)
		sum = (uint8_t)((sum >> 1 | sum << 7) + e[i]);
	return sum;
}

void fat_longname_part(struct fat_longname *l, const uint8_t *e)
{
	static const uint8_t at[FAT_LONG_UNITS] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
	unsigned part = e[0] & 0x3f;

	if (e[0] & LONG_LAST) {
		*l = (struct fat_longname){.any = true, .next = part, .sum = e[13]};
		if (part > FAT_LONG_PARTS)
			l->any = false;
	}
	if (!l->any || part == 0 || part != l->next || e[13] != l->sum) {
		l->any = false;
		return;
	}
	l->next = part - 1;
	for (unsigned i = 0; i < FAT_LONG_UNITS; i++)
		l->units[(part - 1) * FAT_LONG_UNITS + i] = get_le16(e + at[i]);
}

static void short_put(struct buf *out, const uint8_t *p, size_t n, bool lower)
{
	while (n && p[n - 1] == ' ')
		n--;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i];

		if (lower && c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + 'a' - 'A');
		buf_u8(out, c);
	}
}

void fat_shortname(const uint8_t *e, struct buf *out)
{
	uint8_t base[8];

	memcpy(base, e, sizeof base);
	if (base[0] == 0x05) /* stands for E5, which would mean "deleted" */
		base[0] = 0xe5;
	short_put(out, base, 8, e[12] & LOWER_BASE);
	if (e[8] == ' ')
		return;
	buf_puts(out, ".");
	short_put(out, e + 8, 3, e[12] & LOWER_EXT);
}

bool fat_longname_is(const uint8_t *e)
{
	return (e[11] & 0x3f) == ATTR_LONG;
}

void fat_longname_take(struct fat_longname *l, const uint8_t *e, struct buf *out)
{
	if (l->any && l->next == 0 && l->sum == short_sum(e))
		utf16_put(out, l->units, ARRAY_LEN(l->units));
	l->any = false;
}

void fat_shortname_trim(const uint8_t *p, size_t n, struct buf *out)
{
	short_put(out, p, n, false);
}
