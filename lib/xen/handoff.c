/* SPDX-License-Identifier: MIT */
#include "xen/handoff.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

static const char *const formats[] = {
        [HANDOFF_SXP] = "sxp",
        [HANDOFF_SIMPLE] = "simple",
        [HANDOFF_SIMPLE0] = "simple0",
};

int handoff_format_parse(const char *name, enum handoff_format *out)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (strcmp(name, formats[i]) == 0) {
			*out = (enum handoff_format)i;
			return 0;
		}
	return 1;
}

static int item_check(const char *what, const char *text, struct err *err)
{
	/* libxl's limit includes the leading "args ". */
	size_t n = text ? strlen(what) + 1 + strlen(text) : 0;

	if (n > HANDOFF_ITEM_MAX)
		return err_set(err, ERR_LIMIT, "%s: %zu bytes; libxl accepts at most %d", what, n,
		               HANDOFF_ITEM_MAX);
	if (text && strchr(text, '\n'))
		return err_set(err, ERR_FORMAT, "%s: contains a newline", what);
	return 0;
}

static void quoted_put(struct buf *out, const char *text)
{
	char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';

	buf_put(out, &quote, 1);
	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (*p == quote || *p == '\\')
			buf_putf(out, "\\%c", *p);
		else if (*p == '\t')
			buf_puts(out, "\\t");
		else if (*p == '\r')
			buf_puts(out, "\\r");
		else if (c < 0x20 || c == 0x7f)
			buf_putf(out, "\\x%02x", c);
		else
			buf_put(out, p, 1);
	}
	buf_put(out, &quote, 1);
}

static void item_put(struct buf *out, const char *what, const char *text,
                     enum handoff_format format)
{
	if (!text || !*text)
		return;
	if (format != HANDOFF_SXP) {
		buf_putf(out, "%s %s", what, text);
		buf_put(out, format == HANDOFF_SIMPLE ? "\n" : "", 1);
		return;
	}
	buf_putf(out, "(%s ", what);
	quoted_put(out, text);
	buf_puts(out, ")");
}

int handoff_put(const struct handoff *h, enum handoff_format format, struct buf *out,
                struct err *err)
{
	const struct {
		const char *what, *text;
	} items[] = {{"kernel", h->kernel}, {"ramdisk", h->ramdisk}, {"args", h->args}};
	bool none = !h->kernel || !*h->kernel;

	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		int rc = item_check(items[i].what, items[i].text, err);

		if (rc < 0)
			return rc;
	}
	if (format == HANDOFF_SXP)
		buf_puts(out, none ? "linux (kernel None)" : "linux ");
	else if (none)
		item_put(out, "kernel", "None", format);
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		item_put(out, items[i].what, items[i].text, format);
	if (format != HANDOFF_SXP)
		buf_put(out, format == HANDOFF_SIMPLE ? "\n" : "", 1);
	return 0;
}
