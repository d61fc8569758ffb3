/* SPDX-License-Identifier: MIT */
#include "grub/grubenv.h"

#include <string.h>

int grubenv_check(struct str block, struct err *err)
{
	if (block.n > GRUBENV_MAX)
		return err_set(err, ERR_LIMIT,
		               "an environment block of %zu bytes, larger than the limit of %d",
		               block.n, GRUBENV_MAX);
	if (!str_starts(block, GRUBENV_SIGNATURE))
		return err_set(err, ERR_FORMAT, "not an environment block");
	return 0;
}

struct line {
	struct str text; /* with its newline */
	bool whole;      /* it ends in a newline without a backslash before it */
};

/* The line at *pos, which moves past it. */
static struct line next_line(struct str block, size_t *pos)
{
	size_t start = *pos;
	bool whole;

	while (*pos < block.n && block.p[*pos] != '\n') {
		if (block.p[*pos] == '\\' && *pos + 1 < block.n)
			++*pos;
		++*pos;
	}
	whole = *pos < block.n;
	*pos += whole;
	return (struct line){{block.p + start, *pos - start}, whole};
}

/* "name=value\n"; false: a comment, padding, or rubbish. */
static bool split(struct line line, struct str *name, struct str *value)
{
	if (!line.whole || str_starts(line.text, "#"))
		return false;
	*value = (struct str){line.text.p, line.text.n - 1};
	*name = str_cut(value, '=');
	return value->p && name->n && !memchr(name->p, '\\', name->n);
}

int grubenv_next(struct str block, size_t *pos, struct str *name, struct buf *value)
{
	while (*pos < block.n) {
		struct str raw;

		if (!split(next_line(block, pos), name, &raw))
			continue;
		buf_reset(value);
		for (size_t i = 0; i < raw.n; i++) {
			if (raw.p[i] == '\\' && i + 1 < raw.n)
				i++;
			buf_put(value, raw.p + i, 1);
		}
		return 0;
	}
	return 1;
}

static void put_line(struct buf *out, struct str name, struct str value)
{
	buf_put(out, name.p, name.n);
	buf_puts(out, "=");
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '\\' || value.p[i] == '\n')
			buf_puts(out, "\\");
		buf_put(out, value.p + i, 1);
	}
	buf_puts(out, "\n");
}

static bool valid_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == '\0' || strchr("=\\\n", name.p[i]))
			return false;
	return name.n && name.p[0] != '#';
}

int grubenv_format(struct str block, struct str name, struct str value, struct buf *out,
                   struct err *err)
{
	size_t pos = 0, base = out->n;
	bool done = !value.p;

	if (!valid_name(name))
		return err_set(err, ERR_FORMAT, "\"%.*s\" cannot be a name in an environment block",
		               STR_ARG(name));
	while (pos < block.n) {
		struct line line = next_line(block, &pos);
		struct str key, raw;

		if (!line.whole) /* the padding, or rubbish at the end */
			break;
		if (!split(line, &key, &raw)) {
			if (str_starts(line.text, "#")) /* the signature and its like */
				buf_put(out, line.text.p, line.text.n);
		} else if (!str_eq(key, name)) {
			buf_put(out, line.text.p, line.text.n);
		} else if (!done) {
			put_line(out, name, value);
			done = true;
		}
	}
	if (!done)
		put_line(out, name, value);
	if (out->n - base > block.n) {
		out->n = base;
		return err_set(err, ERR_SPACE,
		               "no room for %.*s in the environment block of %zu bytes",
		               STR_ARG(name), block.n);
	}
	while (out->n - base < block.n)
		buf_puts(out, "#");
	return 0;
}
