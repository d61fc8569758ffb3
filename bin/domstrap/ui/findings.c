/* SPDX-License-Identifier: MIT */
#include "ui/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

static const char *const level_names[] = {"ok", "unknown", "warning", "error"};

void findings_add(struct findings *f, enum finding_level level, const char *kind,
                  const char *subject, const char *remedy, const char *fmt, ...)
{
	char reason[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof reason, fmt, ap);
	va_end(ap);
	GROW(f->v, f->n, f->cap);
	f->v[f->n++] =
	        (struct finding){level, kind, xstrdup(subject), xstrdup(reason), xstrdup(remedy)};
}

void findings_fini(struct findings *f)
{
	while (f->n) {
		struct finding *x = &f->v[--f->n];

		free(x->subject);
		free(x->reason);
		free(x->remedy);
	}
	free(f->v);
	*f = (struct findings){0};
}

size_t findings_count(const struct findings *f, enum finding_level level)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->v[i].level == level;
	return n;
}

void findings_print(const struct findings *f, enum finding_level least)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *x = &f->v[i];
		_cleanup_(buf_fini) struct buf b = BUF_INIT;

		if (x->level < least)
			continue;
		buf_putf(&b, "%s: ", level_names[x->level]);
		str_escape(&b, str_from(x->subject));
		buf_puts(&b, ": ");
		str_escape(&b, str_from(x->reason));
		if (*x->remedy) {
			buf_puts(&b, "\n    ");
			str_escape(&b, str_from(x->remedy));
		}
		puts(b.p);
	}
}

/* A text as JSON: UTF-8 as it is, else escaped. */
static json_t *text_json(const char *text)
{
	_cleanup_(buf_fini) struct buf b = BUF_INIT;
	json_t *s = json_string(text);

	if (s)
		return s;
	str_escape(&b, str_from(text));
	return json_string(b.p);
}

json_t *findings_json(const struct findings *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->n; i++) {
		const struct finding *x = &f->v[i];
		json_t *o = json_object();

		json_object_set_new(o, "severity", json_string(level_names[x->level]));
		json_object_set_new(o, "kind", json_string(x->kind));
		json_object_set_new(o, "subject", text_json(x->subject));
		json_object_set_new(o, "reason", text_json(x->reason));
		json_object_set_new(o, "remedy", text_json(x->remedy));
		json_array_append_new(list, o);
	}
	return list;
}
