/* SPDX-License-Identifier: MIT */
#include "grub/blsdir.h"
#include "base/mem.h"
#include "grub/texts.h"

#include <string.h>
#include <strings.h>

struct names {
	struct grub_texts names;
	size_t seen, max, keep;
	bool any_case;
};

static void names_fini(struct names *n)
{
	texts_fini(&n->names);
}

bool blsdir_is_conf(struct str name, bool any_case)
{
	const char *end = name.p + name.n - 5;

	if (name.n < 5)
		return false;
	return any_case ? strncasecmp(end, ".conf", 5) == 0 : memcmp(end, ".conf", 5) == 0;
}

static int take_name(void *arg, struct str name)
{
	struct names *n = arg;

	if (name.n > 5 && blsdir_is_conf(name, n->any_case) && name.p[0] != '.' &&
	    !memchr(name.p, '/', name.n))
		texts_add(&n->names, name);
	return ++n->seen >= n->max || n->names.n >= n->keep;
}

int blsdir_read(const struct blsdir *d, blsdir_fn *fn, void *arg, struct grub_texts *warnings,
                struct err *err)
{
	_cleanup_(names_fini) struct names n = {
	        .max = d->limits->names, .keep = d->limits->entries, .any_case = d->any_case};
	size_t left = d->limits->config; /* bytes, for all files together */
	int rc = d->files->ops->list(d->files, d->dev, d->path, take_name, &n, err);

	for (size_t i = 0; rc == 0 && i < n.names.n; i++) {
		_cleanup_(buf_fini) struct buf path = BUF_INIT, text = BUF_INIT;
		struct err why = ERR_INIT;

		buf_putf(&path, "%.*s/%s", STR_ARG(d->path), n.names.v[i]);
		if (d->files->ops->read(d->files, d->dev, buf_str(&path), left, &text, &why) < 0) {
			if (warnings->n < d->limits->warnings)
				texts_give(warnings, xasprintf("%s: %s", path.p, why.text));
			continue;
		}
		left -= MIN(left, text.n);
		fn(arg, str_from(n.names.v[i]), buf_str(&text));
	}
	return rc;
}
