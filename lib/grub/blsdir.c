/* SPDX-License-Identifier: MIT */
#include "grub/blsdir.h"
#include "base/mem.h"
#include "grub/texts.h"

#include <string.h>
#include <strings.h>

struct names {
	struct grub_texts *names;
	const char *end;
	size_t seen, max, keep;
	bool any_case;
};

bool blsdir_ends(struct str name, const char *end, bool any_case)
{
	size_t n = strlen(end);

	if (name.n < n)
		return false;
	name = str_drop(name, name.n - n);
	return any_case ? strncasecmp(name.p, end, n) == 0 : str_is(name, end);
}

static int take_name(void *arg, struct str name)
{
	struct names *n = arg;

	if (name.n > strlen(n->end) && blsdir_ends(name, n->end, n->any_case) && name.p[0] != '.' &&
	    !memchr(name.p, '/', name.n))
		texts_add(n->names, name);
	return ++n->seen >= n->max || n->names->n >= n->keep;
}

int blsdir_names(const struct blsdir *d, const char *end, struct grub_texts *out, struct err *err)
{
	struct names n = {.names = out,
	                  .end = end,
	                  .max = d->limits->names,
	                  .keep = d->limits->entries,
	                  .any_case = d->any_case};

	return d->files->ops->list(d->files, d->dev, d->path, take_name, &n, err);
}

int blsdir_read(const struct blsdir *d, blsdir_fn *fn, void *arg, struct grub_texts *warnings,
                struct err *err)
{
	_cleanup_(texts_fini) struct grub_texts names = {0};
	size_t left = d->limits->config; /* bytes, for all files together */
	int rc = blsdir_names(d, ".conf", &names, err);

	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		_cleanup_(buf_fini) struct buf path = BUF_INIT, text = BUF_INIT;
		struct err why = ERR_INIT;

		buf_putf(&path, "%.*s/%s", STR_ARG(d->path), names.v[i]);
		if (d->files->ops->read(d->files, d->dev, buf_str(&path), left, &text, &why) < 0) {
			if (warnings->n < d->limits->warnings)
				texts_give(warnings, xasprintf("%s: %s", path.p, why.text));
			continue;
		}
		left -= MIN(left, text.n);
		fn(arg, str_from(names.v[i]), buf_str(&text));
	}
	return rc;
}
