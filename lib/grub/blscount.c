/* SPDX-License-Identifier: MIT */
#include "grub/blscount.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "grub/blsdir.h"

static const struct {
	const char *end, *dir;
} kinds[] = {
        {".conf", "/loader/entries"},
        {".efi", "/EFI/Linux"},
};

/* "LEFT" or "LEFT-DONE", all of s. */
static bool parse_numbers(struct str s, struct blscount *out)
{
	struct str left = str_cut(&s, '-');
	uint64_t l, d = 0;

	if (!str_u64(left, 10, BLSCOUNT_MAX, &l) || (s.p && !str_u64(s, 10, BLSCOUNT_MAX, &d)))
		return false;
	out->left = (int64_t)l;
	out->done = (int64_t)d;
	return true;
}

bool blscount_parse(struct str name, struct blscount *out)
{
	size_t plus;

	*out = (struct blscount){.left = -1, .done = -1, .end = ""};
	for (size_t i = 0; i < ARRAY_LEN(kinds) && !*out->end; i++)
		if (blsdir_ends(name, kinds[i].end, true)) {
			out->end = kinds[i].end;
			name.n -= strlen(out->end);
		}
	out->stem = name;
	for (plus = name.n; plus > 0 && name.p[plus - 1] != '+'; plus--)
		continue;
	if (!*out->end || !plus || !parse_numbers(str_drop(name, plus), out))
		return false;
	out->stem.n = plus - 1;
	return true;
}

void blscount_next(const struct blscount *c, struct buf *out)
{
	buf_putf(out, "%.*s+%" PRId64 "-%" PRId64 "%s", STR_ARG(c->stem),
	         c->left > 0 ? c->left - 1 : 0, MIN(c->done + 1, (int64_t)BLSCOUNT_MAX), c->end);
}

/* Without empty, "." and ".." components. */
static bool is_tidy(struct str path)
{
	if (!str_starts(path, "/") || memchr(path.p, '\0', path.n))
		return false;
	path = str_drop(path, 1);
	while (path.p) {
		struct str part = str_cut(&path, '/');

		if (!part.n || str_is(part, ".") || str_is(part, ".."))
			return false;
	}
	return true;
}

bool blscount_path(struct str path, struct str *dir, struct str *name)
{
	struct blscount c;
	size_t slash = path.n;

	if (!is_tidy(path))
		return false;
	while (path.p[slash - 1] != '/')
		slash--;
	*dir = (struct str){path.p, slash - 1};
	*name = str_drop(path, slash);
	if (!blscount_parse(*name, &c))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(c.end, kinds[i].end) == 0)
			return str_ends(*dir, kinds[i].dir);
	return false;
}
